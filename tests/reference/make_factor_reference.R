# Takes: data sets of R's own packages; shared_sets.csv beside this file, and the survey files it
# names in ../shared/data beside the checkout. Writes: the factor_*.csv and rotation_*.csv reference
# values beside this file: correlations and what comes from them, no raw answers; of the survey
# files loadings alone.
# Run by hand: Rscript tests/reference/make_factor_reference.R
# Made with R 4.2.2, psych 2.2.9, GPArotation 2022.10.2, psychTools 2.2.9, lavaan 0.6.14 (Debian 12).
suppressPackageStartupMessages(library(psych))
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
save <- function(x, name) {
  numeric <- vapply(x, is.numeric, NA)
  x[numeric] <- lapply(x[numeric], function(v) format(v, digits = 10, trim = TRUE))
  write.csv(x, file.path(here, name), row.names = FALSE, quote = FALSE)
}
long <- function(set, kind, m) {
  m <- unclass(as.matrix(m))
  data.frame(
    set = set, kind = kind, row = c(row(m)) - 1, column = c(col(m)) - 1, value = c(m)
  )
}
from <- function(name, package) {
  place <- new.env()
  data(list = name, package = package, envir = place)
  place
}
tool <- function(name) get(name, from(name, "psychTools"))
raw <- function(x, m) list(r = cor(x, use = "pairwise"), n = nrow(x), m = m)
given <- function(r, n, m) list(r = as.matrix(cov2cor(as.matrix(r))), n = n, m = m)

# Answers on five uneven points of m correlated factors, one in twenty missing.
simulated <- function(seed, n, m, each) {
  set.seed(seed)
  pattern <- diag(m)[rep(seq_len(m), each = each), , drop = FALSE] * runif(m * each, .45, .8)
  phi <- matrix(.3, m, m)
  diag(phi) <- 1
  model <- pattern %*% phi %*% t(pattern)
  diag(model) <- 1
  x <- matrix(rnorm(n * m * each), n) %*% chol(model)
  answers <- matrix(findInterval(x, c(-.3, .3, .9, 1.6)), n)
  answers[runif(length(answers)) < .05] <- NA
  raw(answers, m)
}

harman <- from("Harman", "psych")
schmid <- from("Schmid", "psych")
holzinger <- from("HolzingerSwineford1939", "lavaan")$HolzingerSwineford1939
sets <- list(
  bfi = raw(tool("bfi")[, 1:25], 5),
  holzinger_swineford = raw(holzinger[, paste0("x", 1:9)], 3),
  Harman74 = given(datasets::Harman74.cor$cov, 145, 4),
  Harman23 = given(datasets::Harman23.cor$cov, 305, 2),
  ability.cov = given(datasets::ability.cov$cov, 112, 2),
  attitude = raw(datasets::attitude, 2),
  swiss = raw(datasets::swiss, 2),
  mtcars = raw(datasets::mtcars, 3),
  USJudgeRatings = raw(datasets::USJudgeRatings, 2),
  state.x77 = raw(datasets::state.x77, 2),
  Thurstone = given(get("Thurstone", from("Thurstone", "psych")), 213, 3),
  Thurstone.33 = given(get("Thurstone.33", from("Thurstone.33", "psych")), 417, 3),
  Holzinger = given(get("Holzinger", from("Holzinger", "psych")), 355, 4),
  Holzinger.9 = given(get("Holzinger.9", from("Holzinger.9", "psych")), 145, 3),
  Bechtoldt = given(get("Bechtoldt", from("Bechtoldt", "psych")), 212, 6),
  Chen = given(schmid$Chen, 403, 4),
  Reise = given(get("Reise", from("Reise", "psych")), 1000, 5),
  Harman.Holzinger = given(harman$Harman.Holzinger, 696, 3),
  Tucker = given(get("Tucker", from("Tucker", "psych")), 710, 2),
  West = given(schmid$West, 1000, 3),
  Schmid = given(schmid$Schmid, 1000, 3),
  cattell = given(get("cattell", from("cattell", "psych")), 1000, 3),
  ability = raw(tool("ability"), 4),
  neo = given(tool("neo"), 1000, 5),
  sai = raw(tool("sai")[, 4:23], 3),
  msqR = raw(tool("msqR")[, 1:20], 3),
  spi = raw(tool("spi")[, 11:50], 6),
  simulated_150 = simulated(1, 150, 2, 6),
  simulated_300 = simulated(2, 300, 4, 4),
  simulated_1000 = simulated(3, 1000, 6, 3)
)
bad <- names(sets)[vapply(sets, function(s) min(eigen(s$r)$values) < 1e-6, NA)]
if (length(bad)) stop("not positive definite: ", paste(bad, collapse = " "))

rows <- list(); stats <- list()
for (set in names(sets)) {
  s <- sets[[set]]
  rows[[length(rows) + 1]] <- long(set, "corr", s$r)
  for (fm in c("minres", "ml")) {
    f <- suppressMessages(suppressWarnings(
      psych::fa(s$r, s$m, n.obs = s$n, fm = fm, rotate = "none")
    ))
    low <- lower.tri(s$r)
    l <- unclass(f$loadings)
    rows[[length(rows) + 1]] <- long(set, fm, l)
    stats[[length(stats) + 1]] <- data.frame(
      set = set, method = fm, n_obs = s$n, n_factors = s$m, df = f$dof,
      residual_squares = sum((s$r - l %*% t(l))[low]^2),
      objective = f$objective, chi_square = f$STATISTIC, p = f$PVAL,
      null_chi_square = f$null.chisq, tli = f$TLI,
      rmsea = f$RMSEA[1], rmsea_low = f$RMSEA[2], rmsea_high = f$RMSEA[3],
      bic = f$BIC, sabic = f$SABIC, rmsr = f$rms, rmsr_corrected = f$crms
    )
  }
}
save(do.call(rbind, rows), "factor_sets.csv")
save(do.call(rbind, stats), "factor_fit.csv")

# psych's default rotation of every set, and of the survey files the unrotated axes as well: one row
# an item, its loadings side by side.
wide <- function(set, fm, rotation, loadings) {
  values <- apply(signif(unclass(loadings), 8), 1, paste, collapse = " ")
  data.frame(
    set = set, method = fm, rotation = rotation, item = seq_along(values) - 1, loadings = values
  )
}
shared <- file.path(here, "..", "..", "..", "shared", "data")
answers <- function(row) {
  x <- utils::read.csv(file.path(shared, row$file),
    sep = c(comma = ",", tab = "\t")[[row$separator]], check.names = FALSE
  )
  x <- as.matrix(x[, match(row$first, names(x)):match(row$last, names(x))])
  x[x < row$lowest] <- NA
  raw(x, row$n_factors)
}
listed <- utils::read.csv(file.path(here, "shared_sets.csv"))
surveys <- lapply(split(listed, seq_len(nrow(listed))), answers)
names(surveys) <- listed$set
bad <- names(surveys)[vapply(surveys, function(s) min(eigen(s$r)$values) < 1e-6, NA)]
if (length(bad)) stop("not positive definite: ", paste(bad, collapse = " "))
rows <- list()
every <- c(sets, surveys)
for (set in names(every)) {
  s <- every[[set]]
  for (fm in c("minres", "ml")) {
    for (rotation in c("none", "oblimin")) {
      if (rotation == "none" && set %in% names(sets)) next
      f <- suppressMessages(suppressWarnings(
        psych::fa(s$r, s$m, n.obs = s$n, fm = fm, rotate = rotation)
      ))
      rows[[length(rows) + 1]] <- wide(set, fm, rotation, f$loadings)
    }
  }
}
save(do.call(rbind, rows), "factor_loadings.csv")

# Principal axes and components as psych has them.
rows <- list()
for (set in c("bfi", "holzinger_swineford")) {
  s <- sets[[set]]
  pa <- psych::fa(s$r, s$m, n.obs = s$n, fm = "pa", rotate = "none")
  rows[[length(rows) + 1]] <- long(set, "principal_axes", pa$loadings)
  pc <- psych::principal(s$r, s$m, rotate = "none")
  rows[[length(rows) + 1]] <- long(set, "components", pc$loadings)
}
save(do.call(rbind, rows), "factor_axes.csv")

# Rotations, from the unrotated axes, run to a gradient far below GPArotation's usual 1e-5.
tight <- function(rotation, a, ...) rotation(a, eps = 1e-7, maxit = 3000, ...)
rows <- list(); ends <- list()
for (set in c("bfi", "holzinger_swineford", "Harman74")) {
  s <- sets[[set]]
  a <- unclass(psych::fa(s$r, s$m, n.obs = s$n, fm = "minres", rotate = "none")$loadings)
  rows[[length(rows) + 1]] <- long(set, "unrotated", a)
  target <- matrix(0, nrow(a), ncol(a))
  target[cbind(seq_len(nrow(a)), (seq_len(nrow(a)) - 1) %/% ceiling(nrow(a) / ncol(a)) + 1)] <- NA
  full <- ifelse(is.na(target), .6, 0)
  found <- list(
    varimax = tight(GPArotation::Varimax, a, normalize = TRUE),
    varimax_plain = tight(GPArotation::Varimax, a),
    quartimax = tight(GPArotation::quartimax, a),
    equamax = tight(GPArotation::cfT, a, kappa = ncol(a) / (2 * nrow(a))),
    oblimin = tight(GPArotation::oblimin, a),
    oblimin_kaiser = tight(GPArotation::oblimin, a, normalize = TRUE),
    oblimin_negative = tight(GPArotation::oblimin, a, gam = -.5),
    quartimin = tight(GPArotation::quartimin, a),
    geomin_t = tight(GPArotation::geominT, a),
    geomin_q = tight(GPArotation::geominQ, a),
    target_t = tight(GPArotation::targetT, a, Target = target),
    target_t_full = tight(GPArotation::targetT, a, Target = full),
    target_q = tight(GPArotation::targetQ, a, Target = target),
    bifactor_t = tight(GPArotation::bifactorT, a),
    bifactor_q = tight(GPArotation::bifactorQ, a)
  )
  # stats::varimax stops early (eps 1e-5); started at the optimum it stays there, so that both
  # kinds of psych's promax are exact.
  at_optimum <- unclass(found$varimax$loadings)
  found$promax <- psych::kaiser(at_optimum, rotate = "Promax")
  found$promax_plain <- psych::Promax(at_optimum)
  for (kind in names(found)) {
    f <- found[[kind]]
    phi <- if (is.null(f$Phi)) diag(ncol(a)) else f$Phi
    rows[[length(rows) + 1]] <- long(set, kind, f$loadings)
    rows[[length(rows) + 1]] <- long(set, paste0(kind, ":phi"), phi)
    if (!is.null(f$Table)) {
      ends[[length(ends) + 1]] <- data.frame(
        set = set, kind = kind, objective = f$Table[nrow(f$Table), 2],
        converged = f$convergence
      )
    }
  }
  rows[[length(rows) + 1]] <- long(set, "target", target)
  l <- unclass(found$oblimin$loadings); phi <- found$oblimin$Phi
  for (method in c("Thurstone", "Bartlett", "tenBerge")) {
    w <- psych::factor.scores(s$r, l, Phi = phi, method = method)
    rows[[length(rows) + 1]] <- long(set, paste0("weights:", method), w$weights)
    rows[[length(rows) + 1]] <- long(set, paste0("scores:", method), w$r.scores)
    rows[[length(rows) + 1]] <- long(set, paste0("r2:", method), w$R2)
  }
  sl <- psych::schmid(l, Phi = phi)$sl
  rows[[length(rows) + 1]] <- long(set, "schmid", sl[, seq_len(ncol(a) + 1)])
}
save(do.call(rbind, rows), "rotation_values.csv")
save(do.call(rbind, ends), "rotation_objectives.csv")

# factanal of Holzinger-Swineford, with the oblimin of issue 3's figures.
s <- sets$holzinger_swineford
f <- stats::factanal(covmat = s$r, factors = 3, n.obs = s$n, rotation = "none")
save(rbind(
  long("holzinger_swineford", "loadings", f$loadings),
  long("holzinger_swineford", "test", c(f$STATISTIC, f$dof))
), "factor_factanal.csv")

# Holzinger-Swineford's covariances and psych's alpha of its three scales.
items <- holzinger[, paste0("x", 1:9)]
alphas <- vapply(split(1:9, rep(1:3, each = 3)), function(i) {
  psych::alpha(items[, i], warnings = FALSE)$total$raw_alpha
}, 0)
save(rbind(
  long("holzinger_swineford", "covariance", cov(items)),
  long("holzinger_swineford", "alpha", alphas)
), "factor_holzinger.csv")
