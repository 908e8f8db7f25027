# Takes: nothing (psychTools' bfi). Writes: the dimension_*.csv reference values beside this file.
# Run by hand: Rscript tests/reference/make_dimension_reference.R
# Made with R 4.2.2, psych 2.2.9, psychTools 2.2.9 (Debian 12).
suppressPackageStartupMessages(library(psych))
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
save <- function(x, name) {
  write.csv(format(x, digits = 10, trim = TRUE), file.path(here, name), row.names = FALSE, quote = FALSE)
}
data(bfi, package = "psychTools")
items <- bfi[, 1:25]
corr <- cor(items, use = "pairwise")

utils::capture.output(v <- psych::vss(corr, n = 12, n.obs = nrow(items), rotate = "none", plot = FALSE))
save(data.frame(components = seq_along(v$map), map = v$map), "dimension_map.csv")

# Factor eigenvalues are those of the matrix with SMC on its diagonal (SMC = TRUE). The mean over
# 400 replicates keeps the Monte Carlo error below .002.
set.seed(1)
options(mc.cores = 2)
utils::capture.output(
  a <- psych::fa.parallel(items, SMC = TRUE, n.iter = 400, quant = .95, plot = FALSE)
)
quantile95 <- function(part) {
  columns <- grep(paste0("^", part, "[0-9]+$"), colnames(a$values))
  apply(a$values[, columns], 2, quantile, .95)
}
save(data.frame(
  observed = a$pc.values, reduced = a$fa.values,
  simulated_mean = a$pc.sim, simulated_reduced_mean = a$fa.sim,
  resampled_mean = a$pc.simr, resampled_reduced_mean = a$fa.simr,
  simulated_95 = quantile95("CSim"), simulated_reduced_95 = quantile95("Fsim")
), "dimension_parallel.csv")
