# Takes: the folder of shared example data (HSQ, GSS 2012 values, grit); bfi is psychTools', Holzinger-Swineford lavaan's.
# Writes: scales_*.csv beside this file: what the tables of fit_scales should hold, from psych, and by hand where psych has none.
# Run by hand: Rscript tests/reference/make_scales_reference.R ../shared/data
# Made with R 4.2.2, psych 2.2.9, GPArotation 2022.10.2, psychTools 2.2.9, lavaan 0.6.14, survey 4.1.1 (Debian 12).
suppressPackageStartupMessages(library(psych))
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
folder <- commandArgs(trailingOnly = TRUE)[1]
save <- function(x, name) {
  write.csv(format(x, digits = 12, trim = TRUE), file.path(here, name), row.names = FALSE, quote = FALSE)
}
quiet <- function(x) {
  utils::capture.output(out <- suppressWarnings(suppressMessages(x)))
  out
}
rows <- function(table, row, values) {
  data.frame(table = table, row = row, column = names(values), value = as.numeric(unlist(values)))
}

# --- the number of factors, from the papers ---------------------------------------------------------------------------
# Braeken & van Assen (2017), eq. 2: reference j is the mean of what eigenvalues j..p have left, times the
# Marchenko-Pastur edge, and 1 at least. Returns the number and the smallest lead.
empirical_kaiser <- function(ev, n) {
  p <- length(ev)
  ref <- sapply(seq_len(p), function(j) max(mean(ev[j:p]) * (1 + sqrt(p / n))^2, 1))
  k <- which(ev <= ref)[1] - 1
  c(suggested = k, statistic = min((ev - ref)[seq_len(k)]))
}
# Lorenzo-Seva, Timmerman & Kiers (2011), p. 351: drop what is no better than less, then whatever lies on or below
# the line between any two others; st is the ratio of the slopes.
hull <- function(fit, df) {
  par <- max(df) - df
  better <- sapply(seq_along(fit), function(i) i == 1 || fit[i] > max(fit[seq_len(i - 1)]))
  at <- which(better)
  below <- sapply(at, function(i) {
    any(outer(at[at < i], at[at > i], Vectorize(function(a, b) {
      fit[i] <= fit[a] + (fit[b] - fit[a]) * (par[i] - par[a]) / (par[b] - par[a])
    })))
  })
  at <- at[!below]
  if (length(at) < 3) return(c(suggested = NA, statistic = NA))
  st <- sapply(2:(length(at) - 1), function(j) {
    s <- function(a, b) (fit[b] - fit[a]) / (par[b] - par[a])
    s(at[j - 1], at[j]) / s(at[j], at[j + 1])
  })
  c(suggested = at[which.max(st) + 1] - 1, statistic = max(st))
}
hulls <- function(r, n, most) {
  p <- ncol(r)
  ml <- function(l, u) { s <- l %*% t(l); diag(s) <- diag(s) + u; log(det(s)) - log(det(r)) + sum(diag(solve(s, r))) - p }
  curve <- sapply(0:most, function(m) {
    l <- matrix(0, p, 0)
    u <- rep(1, p)
    if (m > 0) { f <- quiet(fa(r, m, rotate = "none", fm = "minres", n.obs = n)); l <- unclass(f$loadings); u <- f$uniquenesses }
    resid <- r - l %*% t(l)
    diag(resid) <- 1
    df <- ((p - m)^2 - p - m) / 2
    c(caf = 1 - quiet(KMO(resid))$MSA, excess = max((n - 1) * ml(l, u) - df, 0), df = df)
  })
  cfi <- 1 - curve["excess", ] / curve["excess", 1]
  list(caf = hull(curve["caf", ], curve["df", ]), cfi = hull(cfi, curve["df", ]))
}
# Achim (2017): eigenvalue k + 1 beside the 95th percentile of that of samples of n normal rows with the k factors.
next_eigenvalue <- function(r, n, most, samples = 200) {
  ev <- eigen(r)$values
  p <- ncol(r)
  cut <- NULL
  for (k in 0:most) {
    s <- diag(p)
    if (k > 0) { l <- unclass(quiet(fa(r, k, rotate = "none", fm = "minres"))$loadings); s <- l %*% t(l); diag(s) <- 1 }
    root <- chol(s)
    random <- replicate(samples, eigen(cor(matrix(rnorm(n * p), n) %*% root), TRUE, TRUE)$values[k + 1])
    cut <- c(cut, quantile(random, .95))
    if (ev[k + 1] <= cut[k + 1]) break
  }
  list(suggested = length(cut) - 1, threshold = cut)
}

# --- the interval of alpha: everybody left out once, t by Satterthwaite's degrees of freedom; of complete answers alone ---
jackknife_interval <- function(y, w = rep(1, nrow(y))) {
  if (anyNA(y)) return(NULL)
  of <- function(rows) {
    s <- cov.wt(y[rows, ], w[rows] / sum(w[rows]), method = "ML")$cov
    ncol(s) / (ncol(s) - 1) * (1 - sum(diag(s)) / sum(s))
  }
  alpha <- of(seq_len(nrow(y)))
  squares <- sapply(seq_len(nrow(y)), function(i) (of(-i) - alpha)^2)
  freedom <- 2 * sum(squares)^2 / (sum(squares^2) - sum(squares)^2 / nrow(y))
  alpha + c(low = -1, high = 1) * qt(.975, freedom) * sqrt(sum(squares))
}

# --- everything that fit_scales tells of one data set -----------------------------------------------------------------
# x: answers as given; keys: list of scales, "-" before the items that count the other way, or the number of factors.
tables <- function(x, keys, polychoric = FALSE, count = rep(1, nrow(x)), ends = range(x, na.rm = TRUE), most = 6, people = 6) {
  x <- as.data.frame(x)[, order(colnames(x), method = "radix")]
  once <- x
  x <- x[rep(seq_len(nrow(x)), count), ]
  n <- nrow(x)
  p <- ncol(x)
  correlate <- function(y) if (polychoric) quiet(psych::polychoric(y, correct = 0, max.cat = 10))$rho else cor(y, use = "pairwise")
  found <- is.numeric(keys)
  m <- if (found) keys else length(keys)
  sign <- setNames(rep(1, p), colnames(x))
  if (!found) for (k in unlist(keys)) sign[sub("-", "", k)] <- if (startsWith(k, "-")) -1 else 1
  for (i in names(sign)[sign < 0]) { x[[i]] <- sum(ends) - x[[i]]; once[[i]] <- sum(ends) - once[[i]] }
  r <- correlate(x)
  f <- quiet(fa(r, m, n.obs = n, fm = "minres", rotate = "oblimin"))
  l <- unclass(f$loadings)
  phi <- f$Phi
  o <- order(-diag(phi %*% t(l) %*% l))
  t <- base::sign(colSums(l[, o]))
  l <- l[, o] %*% diag(t)
  phi <- diag(t) %*% phi[o, o] %*% diag(t)
  if (found) {
    home <- apply(abs(l), 1, which.max)
    keys <- lapply(seq_len(m), function(j) colnames(x)[home == j & apply(abs(l), 1, max) >= .3])
    names(keys) <- paste0("factor_", seq_len(m))
    stopifnot(all(sapply(seq_len(m), function(j) all(l[keys[[j]], j] > 0))))
  }
  keys <- lapply(keys, function(k) sub("-", "", k))
  own <- sapply(keys, function(k) which.max(abs(colSums(l[k, , drop = FALSE]))))
  kmo <- KMO(r)
  om <- if (m > 2) quiet(omega(r, m, plot = FALSE)) else NULL
  thurstone <- quiet(factor.scores(r, l, phi, method = "Thurstone"))
  out <- list()
  add <- function(...) out[[length(out) + 1]] <<- rows(...)
  scores <- sapply(keys, function(k) {
    y <- as.matrix(x[, k])
    ifelse(rowMeans(!is.na(y)) >= .5, rowMeans(y, na.rm = TRUE), NA)
  })
  for (s in names(keys)) {
    y <- x[, keys[[s]]]
    a <- quiet(psych::alpha(y))
    base <- sum(!is.na(scores[, s]))
    certain <- jackknife_interval(as.matrix(y))
    mean0 <- mean(scores[, s], na.rm = TRUE)
    add("table", s, c(
      n_items = ncol(y), alpha = a$total$raw_alpha, if (!is.null(certain)) setNames(certain, c("alpha_low", "alpha_high")),
      mean_r = a$total$average_r, mean = mean0, sd = sqrt(mean((scores[, s] - mean0)^2, na.rm = TRUE)), base = sum(!is.na(scores[cumsum(c(1, count))[seq_along(count)], s]))
    ))
    turn <- base::sign(sum(l[keys[[s]], own[s]]))
    for (i in keys[[s]]) {
      add("items", i, c(
        loading = unname(l[i, own[[s]]]) * turn, communality = f$communality[[i]],
        item_rest = a$item.stats[match(i, colnames(y)), "r.drop"], alpha_if_dropped = a$alpha.drop[match(i, colnames(y)), "raw_alpha"],
        mean = mean(if (sign[i] < 0) sum(ends) - x[[i]] else x[[i]], na.rm = TRUE),
        sd = sd(x[[i]], na.rm = TRUE) * sqrt(1 - 1 / sum(!is.na(x[[i]]))), msa = kmo$MSAi[[i]]
      ))
    }
    # psych::alpha of the answers takes cov2cor() of pairwise covariances, each item's SD over all of its answers.
    plain <- cov2cor(cov(y, use = "pairwise"))
    half <- utils::combn(ncol(y), ncol(y) %/% 2, function(h) 4 * sum(plain[h, -h]) / sum(plain))
    fr <- r[keys[[s]], keys[[s]]]
    one <- unclass(quiet(fa(fr, 1, fm = "minres"))$loadings)[, 1]
    one <- abs(one) * base::sign(one * one[which.max(abs(one))])
    v <- c(
      `alpha` = a$total$raw_alpha, if (!is.null(certain)) setNames(certain, c("alpha low", "alpha high")),
      `alpha, standardised` = a$total$std.alpha,
      `omega total` = quiet(omega(plain, 1, plot = FALSE, flip = FALSE))$omega.tot, `lambda 6` = a$total$`G6(smc)`,
      `split half, lowest` = min(half), `split half, mean` = mean(half), `split half, highest` = max(half),
      `average correlation` = a$total$average_r,
      `composite reliability` = sum(one)^2 / (sum(one)^2 + sum(1 - one^2)), `average variance extracted` = mean(one^2),
      `determinacy` = sqrt(thurstone$R2[[own[[s]]]])
    )
    if (ncol(y) %% 2 == 0) {
      sh <- quiet(splitHalf(plain, check.keys = FALSE))
      v[c("split half, lowest", "split half, mean", "split half, highest")] <- c(sh$minrb, sh$meanr, sh$maxrb)
    }
    if (polychoric) v["alpha, ordinal"] <- quiet(psych::alpha(fr))$total$std.alpha
    if (m > 2) {
      sl <- om$schmid$sl
      g <- setNames(sl[, 1] * om$key, rownames(r))  # keys undone: omega turns items by their general loading
      grp <- sl[, 1 + seq_len(m)] * om$key
      rownames(grp) <- rownames(r)
      j <- which.max(abs(colSums(grp[keys[[s]], ])))
      v["omega, general part"] <- sum(g[keys[[s]]])^2 / sum(fr)
      v["omega, own part"] <- sum(grp[keys[[s]], j])^2 / sum(fr)
    }
    add("reliability", s, v)
  }
  if (m > 2) add("reliability", "", c(`omega total` = om$omega.tot, `omega hierarchical` = om$omega_h, `explained common variance` = om$ECV[[1]]))
  bart <- cortest.bartlett(r, n)
  excess <- function(chi, df) max(chi - df, 0)
  add("fit", "", c(
    chi_square = f$STATISTIC, df = f$dof, p = f$PVAL, rmsea = f$RMSEA[[1]], rmsea_low = f$RMSEA[[2]], rmsea_high = f$RMSEA[[3]], tli = f$TLI,
    cfi = 1 - excess(f$STATISTIC, f$dof) / excess(f$null.chisq, f$null.dof), rmsr = f$rms,
    srmr = sqrt(sum(f$residual[lower.tri(r)]^2) / (p * (p + 1) / 2)), bic = f$BIC, kmo = kmo$MSA,
    bartlett_chi_square = bart$chisq, bartlett_df = bart$df, bartlett_p = bart$p.value
  ))
  for (j in seq_len(m)) add("factors", paste0("F", j), c(ss_loadings = diag(phi %*% base::t(l) %*% l)[j]))
  for (j in seq_len(m)[-1]) add("phi", paste0("F", j), setNames(abs(phi[j, seq_len(j - 1)]), paste0("F", seq_len(j - 1))))
  resid <- f$residual
  resid[upper.tri(resid, TRUE)] <- 0
  for (q in order(-abs(resid))[1:3]) {
    at <- sort(c(rownames(r)[row(r)[q]], colnames(r)[col(r)[q]]), method = "radix")
    add("residuals", paste(at, collapse = " "), c(observed = r[q], residual = resid[q]) * prod(sign[at]))
  }
  ev <- eigen(r)$values
  reduced <- r
  diag(reduced) <- smc(r)
  for (j in 1:5) add("eigenvalues", as.character(j), c(observed = ev[j], factor = eigen(reduced)$values[j]))
  vss <- quiet(VSS(r, n = min(p - 1, 8), n.obs = n, plot = FALSE))$map
  none <- mean(r[lower.tri(r)]^2)
  add("number", "minimum average partial, squared", c(suggested = which.min(c(none, vss)) - 1, statistic = min(none, vss)))
  fourth <- sapply(0:min(p - 2, 8), function(k) {
    left <- if (k == 0) r else r - tcrossprod(unclass(quiet(principal(r, k, rotate = "none"))$loadings))
    mean(cov2cor(left)[lower.tri(r)]^4)
  })
  add("number", "minimum average partial, fourth power", c(suggested = which.min(fourth) - 1, statistic = min(fourth)))
  add("number", "empirical Kaiser criterion", as.list(empirical_kaiser(ev, n)))
  both <- hulls(r, n, most)
  add("number", "hull, common part accounted for", as.list(both$caf))
  add("number", "hull, comparative fit index", as.list(both$cfi))
  if (!polychoric && !anyNA(x)) {
    set.seed(1)
    nest <- next_eigenvalue(r, n, p %/% 3)
    add("number", "next eigenvalue sufficiency test", list(suggested = nest$suggested, statistic = min((ev[seq_along(nest$threshold)] - nest$threshold)[seq_len(nest$suggested)])))
  }
  # Scores of the first people; factor scores of the complete among them (each item over its own mean and SD, divisor n).
  first <- cumsum(c(1, count))[seq_len(people)]
  full <- first[complete.cases(once[seq_len(people), ])]
  z <- scale(x) %*% diag(sqrt(1 / (1 - 1 / colSums(!is.na(x)))))
  turned <- sapply(names(keys), function(s) base::sign(sum(l[keys[[s]], own[s]])))
  score <- list(mean = function(i) scores[i, , drop = FALSE])
  for (method in c("Thurstone", "Bartlett", "tenBerge")) local({
    w <- quiet(factor.scores(r, l, phi, method = method))$weights
    all <- z %*% w
    score[[c(Thurstone = "regression", Bartlett = "bartlett", tenBerge = "ten_berge")[method]]] <<-
      function(i) { y <- all[i, own, drop = FALSE] %*% diag(turned); colnames(y) <- names(keys); y }
  })
  for (kind in names(score)) for (person in seq_len(people)) {
    if (kind == "mean" || first[person] %in% full) add(paste("score", kind), as.character(person - 1), score[[kind]](first[person])[1, ])
  }
  do.call(rbind, out)
}

read <- function(...) utils::read.delim(file.path(folder, ...))
data(bfi, package = "psychTools")
bfi <- bfi[, 1:25]
bfi_keys <- list(
  a = c("-A1", "A2", "A3", "A4", "A5"), c = c("C1", "C2", "C3", "-C4", "-C5"), e = c("-E1", "-E2", "E3", "E4", "E5"),
  n = c("N1", "N2", "N3", "N4", "N5"), o = c("O1", "-O2", "O3", "O4", "-O5")
)
hsq <- read("03_openpsychometrics", "HSQ", "data.csv")
if (ncol(hsq) == 1) hsq <- utils::read.csv(file.path(folder, "03_openpsychometrics", "HSQ", "data.csv"))
hsq <- hsq[, paste0("Q", 1:32)]
hsq[hsq == -1] <- NA
hsq <- hsq[rowSums(!is.na(hsq)) > 0, ] # one respondent answered nothing
q <- function(...) paste0(ifelse(c(...) < 0, "-Q", "Q"), abs(c(...)))
hsq_keys <- list(
  affiliative = q(-1, 5, -9, 13, -17, 21, -25, -29), enhancing = q(2, 6, 10, 14, 18, -22, 26, 30),
  aggressive = q(3, -7, 11, -15, 19, -23, 27, -31), defeating = q(4, 8, 12, -16, 20, 24, 28, 32)
)
gss <- utils::read.csv(file.path(folder, "04_values_social", "gss12_schwartz_values.csv"))
said <- c("Not like me at all", "Not like me", "A little like me", "Somewhat like me", "Like me", "Very much like me")
gss[] <- lapply(gss, match, said)
gss <- gss[rowSums(!is.na(gss)) > 0, ]
grit <- read("03_openpsychometrics", "duckworth-grit-scale-data", "data.csv")
answers <- grit[, c(paste0("GS", 1:12))]
answers <- answers[rowSums(answers != 0) > 0, ] # some answered nothing
answers[answers == 0] <- NA
grit_keys <- list(interest = paste0("GS", c(2, 3, 5, 7, 8, 11)), effort = paste0("GS", c(1, 4, 6, 9, 10, 12)))
hs <- lavaan::HolzingerSwineford1939[, paste0("x", 1:9)]
hs_keys <- list(visual = c("x1", "x2", "x3"), textual = c("x4", "x5", "x6"), speed = c("x7", "x8", "x9"))
counts <- function(n) seq_len(n) %% 3 + 1
sets <- list(
  bfi_pearson = function() tables(bfi, bfi_keys, most = 9),
  bfi_polychoric = function() tables(bfi, bfi_keys, polychoric = TRUE, most = 9),
  bfi_complete_weighted = function() { y <- bfi[complete.cases(bfi), ]; tables(y, bfi_keys, count = counts(nrow(y)), most = 9) },
  hsq_polychoric = function() tables(hsq, hsq_keys, polychoric = TRUE, most = 12),
  gss_polychoric = function() tables(gss, 4, polychoric = TRUE, most = 8),
  grit_polychoric_weighted = function() tables(answers, grit_keys, polychoric = TRUE, count = counts(nrow(answers)), most = 5),
  holzinger_pearson = function() tables(hs, hs_keys, most = 4)
)
# --- all of it together -----------------------------------------------------------------------------------------------
out <- do.call(rbind, lapply(names(sets), function(name) { message(name, " ", format(Sys.time(), "%T")); data.frame(set = name, sets[[name]]()) }))
out$value <- trimws(formatC(out$value, digits = 10, format = "g"))
# Quoted: names of coefficients have commas.
write.csv(out, file.path(here, "scales_tables.csv"), row.names = FALSE)
write.csv(format(hs, digits = 12, trim = TRUE), file.path(here, "scales_holzinger.csv"), row.names = FALSE, quote = FALSE)

# --- how carefully the respondents of the grit data answered, each index as careless 1.1.3 documents it ----------------
x <- as.matrix(grit[, as.vector(outer(1:10, c("E", "N", "A", "C", "O"), function(i, s) paste0(s, i)))])
x[x == 0] <- NA
turned <- c("E2", "E4", "E6", "E8", "E10", "N2", "N4", "A1", "A3", "A5", "A7", "C2", "C4", "C6", "C8", "O2", "O4", "O6")
keyed <- x
keyed[, turned] <- 6 - keyed[, turned]
within <- function(a, b) {
  ok <- !is.na(a) & !is.na(b)
  if (sum(ok) < 3) NA else suppressWarnings(cor(a[ok], b[ok]))
}
runs <- function(v) { r <- rle(ifelse(is.na(v), -seq_along(v), v)); r$lengths[r$values > 0] }
centre <- colMeans(x, na.rm = TRUE)
spread <- cov(x, use = "pairwise")
pairs <- function(found) { at <- which(lower.tri(found) & found, arr.ind = TRUE); at[, 2:1] }
alike <- function(at) apply(x, 1, function(v) within(v[at[, 1]], v[at[, 2]]))
r <- cor(x, use = "pairwise")
careful <- data.frame(
  longstring = apply(x, 1, function(v) max(0, runs(v))), average_string = apply(x, 1, function(v) mean(runs(v))),
  variability = apply(x, 1, sd, na.rm = TRUE),
  mahalanobis = apply(x, 1, function(v) { k <- !is.na(v); if (any(k)) mahalanobis(v[k], centre[k], spread[k, k, drop = FALSE]) else NA }),
  even_odd = apply(keyed, 1, function(v) {
    half <- function(which) sapply(0:4, function(s) mean(v[10 * s + which], na.rm = TRUE))
    q <- within(half(seq(2, 10, 2)), half(seq(1, 9, 2)))
    max(2 * q / (1 + q), -1)
  }),
  synonyms = alike(pairs(r > .5)), antonyms = alike(pairs(r < -.5)), person_total = apply(x, 1, within, centre),
  relative_speed = median(grit$testelapse) / grit$testelapse
)
# The first 150 people, and those with the most answers missing.
chosen <- sort(unique(c(1:150, order(-rowSums(is.na(x)))[1:30])))
save(data.frame(row = chosen - 1, careful[chosen, ]), "scales_quality.csv")

# --- sampling weights: survey::rake on three margins, alpha of the weighted covariances ---------------------------------
suppressPackageStartupMessages(library(survey))
people <- grit
people$row <- seq_len(nrow(people)) - 1
people <- people[people$gender %in% 1:2 & people$education %in% 1:4 & people$urban %in% 1:3, ]
margin <- function(column, share) setNames(data.frame(seq_along(share), share / sum(share) * nrow(people)), c(column, "Freq"))
raked <- weights(rake(
  svydesign(~1, weights = rep(1, nrow(people)), data = people), list(~gender, ~education, ~urban),
  list(margin("gender", c(49, 51)), margin("education", c(12, 40, 30, 18)), margin("urban", c(20, 50, 30))),
  control = list(maxit = 5000, epsilon = 1e-9)
))
y <- people[, grit_keys$interest]
y[y == 0] <- NA
there <- complete.cases(y)
w <- raked[there]
kish <- sum(w)^2 / sum(w^2)
weighted <- quiet(psych::alpha(cov.wt(y[there, ], w / sum(w), method = "ML")$cov))
ends <- jackknife_interval(as.matrix(y[there, ]), w)
score <- rowMeans(y[there, ])
save(data.frame(
  quantity = c("n", "kish", "alpha", "alpha_low", "alpha_high", "mean_r", "mean", "sd", paste("item_rest", colnames(y)), paste("weight", people$row[1:40])),
  value = c(
    sum(there), kish, weighted$total$raw_alpha, ends, weighted$total$average_r, weighted.mean(score, w),
    sqrt(weighted.mean((score - weighted.mean(score, w))^2, w)), weighted$item.stats$r.drop, raked[1:40]
  )
), "scales_weighted.csv")

# --- the interval of ordinal alpha: percentiles of 500 samples of the people, N1 to N5 of bfi, each with psych::polychoric
set.seed(1)
y <- bfi[, bfi_keys$n]
ordinal <- function(v) quiet(psych::alpha(psych::polychoric(v, correct = 0)$rho))$total$std.alpha
drawn <- replicate(500, ordinal(y[sample.int(nrow(y), replace = TRUE), ]))
save(data.frame(alpha = ordinal(y), low = quantile(drawn, .025), high = quantile(drawn, .975), se = sd(drawn)), "scales_ordinal_alpha.csv")
