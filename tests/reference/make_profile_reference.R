# Takes: the folder shared/data (pew_dec13_excerpt.csv of pewmethods, TraMineR_biofam.csv, FactoMineR__tea.csv), and
#   reduction_wine.csv beside this file.
# Writes beside this file, of survey: profile_estimates.csv (means and shares of groups), profile_pairs.csv (groups
#   against each other), profile_rests.csv (groups against the rest), profile_tests.csv (of all groups at once); of
#   FactoMineR: profile_catdes.csv (v-tests).
# Run by hand: Rscript tests/reference/make_profile_reference.R ../shared/data
# Made with R 4.2.2, survey 4.1.1, FactoMineR 2.7 (Debian 12).
suppressPackageStartupMessages(library(survey))
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
folder <- commandArgs(trailingOnly = TRUE)[1]
read_in <- function(...) read.csv(file.path(...), na.strings = "", check.names = FALSE)

pew <- read_in(folder, "04_values_social", "pew_dec13_excerpt.csv")
middle <- c("18-24" = 21, "25-34" = 30, "35-44" = 40, "45-54" = 50, "55-64" = 60, "65+" = 72)
pew$age <- unname(middle[pew$recage]) # NA for DK/Ref
biofam <- read_in(folder, "08_sequences", "TraMineR_biofam.csv")
biofam <- biofam[-1] # row names
biofam$weight <- biofam$wp00tbgp
biofam <- biofam[biofam$weight > 0, ]
designs <- list(
  pew = svydesign(ids = ~1, weights = ~weight, data = pew),
  biofam = svydesign(ids = ~1, weights = ~weight, data = biofam)
)
asked <- data.frame(
  set = c("pew", "pew", "pew", "pew", "pew", "biofam", "biofam", "biofam", "biofam", "biofam"),
  kind = c("mean", "mean", "share", "share", "share", "mean", "mean", "mean", "share", "share"),
  variable = c("age", "age", "q1", "q2", "racethn2", "birthyr", "birthyr", "a30", "sex", "cspfaj"),
  by = c("party", "cregion", "party", "cregion", "cregion", "p02r01", "plingu02", "sex", "p02r01", "plingu02")
)

t_test <- function(design) {
  found <- svyttest(y ~ inside, design)
  difference <- unname(found$estimate)
  se <- difference / unname(found$statistic)
  half <- qt(0.975, found$parameter) * se
  data.frame(difference, low = difference - half, high = difference + half, p = unname(found$p.value))
}
of_group <- function(design, kind) {
  mean <- svymean(~y, design)
  limits <- if (kind == "mean") {
    confint(mean, df = degf(design))
  } else {
    attr(suppressWarnings(svyciprop(~y, design, method = "beta")), "ci")
  }
  sd <- if (kind == "mean") sqrt(coef(svyvar(~y, design))) else NA
  n <- nrow(design$variables)
  data.frame(n, value = coef(mean), se = SE(mean)[1], low = limits[1], high = limits[2], sd, row.names = NULL)
}
estimates <- pairs <- rests <- tests <- list()
for (i in seq_len(nrow(asked))) {
  ask <- asked[i, ]
  whole <- designs[[ask$set]]
  x <- whole$variables[[ask$variable]]
  for (category in if (ask$kind == "mean") "" else unique(x[!is.na(x)])) {
    key <- data.frame(ask, category, row.names = NULL)
    design <- update(whole, y = if (ask$kind == "mean") x else as.numeric(x == category), group = whole$variables[[ask$by]])
    design <- subset(design, !is.na(y) & !is.na(group))
    groups <- sort(unique(design$variables$group))
    for (g in groups) {
      estimates <- c(estimates, list(cbind(key, group = g, of_group(subset(design, group == g), ask$kind))))
      rests <- c(rests, list(cbind(key, group = g, t_test(update(design, inside = as.numeric(group == g))))))
    }
    for (pair in combn(groups, 2, simplify = FALSE)) {
      two <- update(subset(design, group %in% pair), inside = as.numeric(group == pair[1]))
      if (sd(two$variables$y) > 0) {
        pairs <- c(pairs, list(cbind(key, group = pair[1], other = pair[2], t_test(two))))
      }
    }
  }
  if (ask$kind == "mean") {
    found <- regTermTest(svyglm(y ~ factor(group), design), ~ factor(group))
    row <- data.frame(statistic = found$Ftest[1], df1 = found$df, df2 = found$ddf, p = found$p[1])
  } else {
    full <- subset(update(whole, x = x, group = whole$variables[[ask$by]]), !is.na(x) & !is.na(group))
    found <- svychisq(~ x + group, full)
    row <- data.frame(
      statistic = found$statistic, df1 = found$parameter[1], df2 = found$parameter[2], p = found$p.value
    )
  }
  tests <- c(tests, list(cbind(ask, row)))
}

# Every v-test, not only the significant ones: proba = 1.
v_tests <- function(set, data, by, weights = NULL) {
  names(data) <- gsub(" ", ".", names(data))
  found <- FactoMineR::catdes(data, which(names(data) == by), proba = 1, row.w = weights)
  rows <- function(parts, kind) {
    lapply(names(parts), function(group) {
      label <- rownames(parts[[group]])
      data.frame(
        set, by, group, kind,
        variable = sub("=.*", "", label),
        category = if (kind == "share") sub("^[^=]*=", "", label) else "",
        v = parts[[group]][, "v.test"], row.names = NULL
      )
    })
  }
  do.call(rbind, c(rows(found$quanti, "mean"), rows(found$category, "share")))
}
tea <- read_in(folder, "09_r_misc", "FactoMineR__tea.csv")
wine <- read_in(here, "reduction_wine.csv")
known <- pew[!is.na(pew$age), c("party", "cregion", "q1", "sex", "receduc", "racethn2", "age", "weight")]
seen <- setdiff(names(known), "weight")
catdes <- rbind(
  v_tests("tea", tea, "where"),
  v_tests("tea", tea, "SPC"),
  v_tests("wine", wine, "Label"),
  v_tests("wine", wine, "Soil"),
  v_tests("pew", known[seen], "party", known$weight * sum(known$weight) / sum(known$weight^2)),
  v_tests("pew people", known[seen], "cregion", round(known$weight) + 1)
)

save_rows <- function(rows, name) {
  numbers <- vapply(rows, is.numeric, TRUE)
  rows[numbers] <- lapply(rows[numbers], formatC, digits = 15, format = "g", width = 1)
  write.csv(rows, file.path(here, name), row.names = FALSE, quote = which(!numbers))
}
save_rows(do.call(rbind, estimates), "profile_estimates.csv")
save_rows(do.call(rbind, pairs), "profile_pairs.csv")
save_rows(do.call(rbind, rests), "profile_rests.csv")
save_rows(do.call(rbind, tests), "profile_tests.csv")
save_rows(catdes, "profile_catdes.csv")
