# Takes: surveys/big_five/data.csv (psychTools' bfi). Writes: the correlation_*.csv beside this file.
# Run by hand: Rscript tests/reference/make_correlation_reference.R
# Made with R 4.2.2, psych 2.2.9, lavaan 0.6-14 (Debian 12).
suppressPackageStartupMessages({
  library(psych)
  library(lavaan)
})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
save <- function(x, name) {
  x <- as.data.frame(unclass(as.matrix(x)))
  write.csv(format(x, digits = 12, trim = TRUE), file.path(here, name), row.names = FALSE, quote = FALSE)
}
bfi <- read.csv(file.path(here, "../../surveys/big_five/data.csv"))
items <- bfi[, which(names(bfi) == "A1"):which(names(bfi) == "O5")]

save(cor(items, method = "spearman", use = "pairwise.complete.obs"), "correlation_spearman.csv")

# Small samples, so that tables have empty cells. No missing answers: listwise is pairwise.
few <- na.omit(items[1:160, c("A1", "A2", "C1", "N1", "O1", "O2")])[1:120, ]
yes <- as.data.frame(lapply(few, function(x) as.integer(x > 4)))[1:16, ]
ordered_cor <- function(x, add) lavCor(x, ordered = names(x), zero.add = add, zero.cell.warn = FALSE)
save(ordered_cor(yes, c(0.5, 0)), "correlation_lavaan_yes.csv")
save(ordered_cor(few, c(0.5, 0)), "correlation_lavaan_none.csv")
save(ordered_cor(few, c(0.5, 0.5)), "correlation_lavaan_half.csv")
psych_cor <- function(x) suppressWarnings(polychoric(x, global = FALSE, correct = 0.5, smooth = FALSE)$rho)
# psych stops where its uncorrected divisor takes a cumulative share above one: three answers only.
save(psych_cor(as.data.frame(lapply(few, function(x) ceiling(x / 2)))), "correlation_psych_half.csv")
save(psych_cor(yes), "correlation_psych_yes.csv")

# Mixed: two measured variables with missing values, two items, one question with two answers.
mixed <- data.frame(
  age = bfi$age, agreeable = rowSums(items[, 2:5]),
  N1 = items$N1, O1 = items$O1, worry = as.integer(items$N3 > 3)
)[1:600, ]
save(
  lavCor(mixed, ordered = c("N1", "O1", "worry"), missing = "pairwise"),
  "correlation_mixed.csv"
)

# The unrestricted model with missing answers (lavaan's h1 of missing = "fiml"), weighted too. Every
# tenth answer more is taken out, on a fixed pattern.
holes <- as.matrix(items[1:400, c(1:4, 16:19)])
holes[(row(holes) * 7 + col(holes) * 11 + (row(holes) %/% 10) * 3) %% 10 == 0] <- NA
holes <- holes[rowSums(!is.na(holes)) > 0, ]
h1 <- function(wt) {
  found <- lavaan:::lav_mvnorm_missing_h1_estimate_moments(
    Y = holes, Mp = lavaan:::lav_data_missing_patterns(holes), wt = wt, tol = 1e-13, max.iter = 5000
  )
  rbind(found$Mu, found$Sigma)
}
save(holes, "correlation_em_data.csv")
save(h1(NULL), "correlation_em.csv")
save(h1(1 + (seq_len(nrow(holes)) %% 3)), "correlation_em_weighted.csv")
