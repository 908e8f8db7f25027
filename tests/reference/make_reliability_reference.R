# Takes: nothing (psychTools' bfi). Writes: the reliability_*.csv and omega_*.csv values beside this file.
# Run by hand: Rscript tests/reference/make_reliability_reference.R
# Made with R 4.2.2, psych 2.2.9, GPArotation 2022.10.2, psychTools 2.2.9, lavaan 0.6.14 (Debian 12).
suppressPackageStartupMessages(library(psych))
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
save <- function(x, name) {
  write.csv(format(x, digits = 12, trim = TRUE), file.path(here, name), row.names = FALSE, quote = FALSE)
}
quiet <- function(x) suppressWarnings(suppressMessages(x))
data(bfi, package = "psychTools")
keys <- list(
  A = c("-A1", "A2", "A3", "A4", "A5"), C = c("C1", "C2", "C3", "-C4", "-C5"),
  E = c("-E1", "-E2", "E3", "E4", "E5"), N = c("N1", "N2", "N3", "N4", "N5"),
  O = c("O1", "-O2", "O3", "O4", "-O5"), AC = c("-A1", "A2", "A3", "A4", "A5", "C1", "C2", "C3", "-C4", "-C5")
)
rows <- lapply(names(keys), function(scale) {
  k <- keys[[scale]]
  sign <- ifelse(startsWith(k, "-"), -1, 1)
  r <- outer(sign, sign) * cor(bfi[, sub("-", "", k)], use = "pairwise")
  total <- quiet(psych::alpha(r, warnings = FALSE))$total
  one <- quiet(psych::omega(r, 1, flip = FALSE, plot = FALSE))
  three <- quiet(psych::omega(r, 3, flip = FALSE, plot = FALSE))
  # psych::splitHalf goes through half of the halvings of an odd scale: its own formula, over all.
  p <- ncol(r)
  halves <- apply(utils::combn(p, p %/% 2), 2, function(a) 4 * sum(r[a, -a]) / sum(r))
  half <- quiet(psych::splitHalf(r, check.keys = FALSE))
  data.frame(
    scale = scale, std_alpha = total$std.alpha, lambda6 = total$`G6(smc)`, average_r = total$average_r,
    omega_total_1 = one$omega.tot, omega_total_3 = three$omega.tot, omega_h_3 = three$omega_h,
    omega_lim_3 = three$omega.lim, ecv_3 = three$ECV,
    max = max(halves), mean = mean(halves), min = min(halves),
    psych_max = half$maxrb, psych_mean = half$meanr, psych_min = half$minrb
  )
})
save(do.call(rbind, rows), "reliability_bfi.csv")

# Of answers with gaps psych::alpha goes by cov2cor() of the pairwise covariances; the standard error of raw alpha that asks
# for no distribution (Maydeu-Olivares, Coffman & Hartmann 2007) is lavaan's, of all covariances free, of complete answers.
of_answers <- lapply(names(keys), function(scale) {
  k <- keys[[scale]]
  y <- bfi[, sub("-", "", k)]
  y[startsWith(k, "-")] <- 7 - y[startsWith(k, "-")]
  total <- quiet(psych::alpha(y, warnings = FALSE))$total
  y <- y[complete.cases(y), ]
  names(y) <- paste0("x", seq_along(y))
  pairs <- outer(seq_along(y), seq_along(y), function(i, j) ifelse(i <= j, sprintf("x%d ~~ s%d_%d*x%d", i, i, j, j), ""))
  own <- paste(sprintf("s%d_%d", seq_along(y), seq_along(y)), collapse = " + ")
  off <- paste(sub(".*~~ (s\\w+)\\*.*", "\\1", pairs[upper.tri(pairs)]), collapse = " + ")
  p <- length(y)
  model <- c(pairs[nzchar(pairs)], sprintf("alpha := %d / %d * (1 - (%s) / (%s + 2 * (%s)))", p, p - 1, own, own, off))
  fit <- lavaan::sem(paste(model, collapse = "\n"), y, estimator = "ML", se = "robust.sem", meanstructure = TRUE)
  free <- subset(lavaan::parameterEstimates(fit), op == ":=")
  data.frame(
    scale = scale, std_alpha = total$std.alpha, lambda6 = total$`G6(smc)`, average_r = total$average_r,
    n = nrow(y), alpha_complete = free$est, se_complete = free$se
  )
})
save(do.call(rbind, of_answers), "reliability_answers.csv")

# Ordinal alpha: alpha of the polychoric correlations of N1 to N5.
poly <- psych::polychoric(bfi[, keys$N])$rho
save(data.frame(scale = "N", std_alpha = quiet(psych::alpha(poly, warnings = FALSE))$total$std.alpha), "reliability_ordinal.csv")

# A Schmid-Leiman solution with the omegas that psych draws from it: Thurstone's nine tests.
t9 <- psych::Thurstone
om <- quiet(psych::omega(t9, 3, plot = FALSE))
save(data.frame(item = rownames(om$schmid$sl), unclass(om$schmid$sl)[, c("g", "F1*", "F2*", "F3*", "u2")], om$schmid$oblique, t9), "omega_thurstone.csv")
save(data.frame(factor = rownames(om$schmid$phi), om$schmid$phi), "omega_thurstone_phi.csv")
save(data.frame(
  of = rownames(om$omega.group), om$omega.group,
  omega_h = om$omega_h, omega_lim = om$omega.lim, ecv = om$ECV
), "omega_thurstone_values.csv")
