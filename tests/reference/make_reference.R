# Takes: nothing (psychTools' bfi). Writes: the bfi_*.csv reference values beside this file.
# Run by hand: Rscript tests/reference/make_reference.R
# Made with R 4.2.2, psych 2.2.9, GPArotation 2022.10.2, psychTools 2.2.9, cluster 2.1.4 (Debian 12).
suppressPackageStartupMessages(library(psych))
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
save <- function(x, name) {
  write.csv(format(x, digits = 10, trim = TRUE), file.path(here, name), row.names = FALSE, quote = FALSE)
}
data(bfi, package = "psychTools")
items <- bfi[, 1:25]

fit <- psych::fa(items, nfactors = 5, fm = "minres", rotate = "oblimin")
save(data.frame(item = rownames(fit$loadings), unclass(fit$loadings)), "bfi_minres_oblimin.csv")
save(data.frame(factor = rownames(fit$Phi), fit$Phi), "bfi_minres_oblimin_phi.csv")

poly <- psych::polychoric(items)$rho
save(data.frame(item = rownames(poly), poly), "bfi_polychoric.csv")

keys <- list(
  A = c("-A1", "A2", "A3", "A4", "A5"), C = c("C1", "C2", "C3", "-C4", "-C5"),
  E = c("-E1", "-E2", "E3", "E4", "E5"), N = c("N1", "N2", "N3", "N4", "N5"),
  O = c("O1", "-O2", "O3", "O4", "-O5")
)
rows <- lapply(names(keys), function(scale) {
  k <- keys[[scale]]
  item <- sub("-", "", k)
  a <- psych::alpha(items[, item], keys = item[startsWith(k, "-")], warnings = FALSE)
  feldt <- psych::alpha.ci(a$total$raw_alpha, n.obs = nrow(items), n.var = length(k))
  data.frame(
    scale = scale, item = item, alpha = a$total$raw_alpha, mean_r = a$total$average_r,
    low = feldt$lower.ci, high = feldt$upper.ci,
    item_rest = a$item.stats$r.drop, dropped = a$alpha.drop$raw_alpha
  )
})
save(do.call(rbind, rows), "bfi_alpha.csv")

adequacy <- psych::KMO(items)
test <- psych::cortest.bartlett(cor(items, use = "pairwise"), n = nrow(items))
save(data.frame(
  measure = c("kmo", "bartlett", "df", paste0("msa_", names(adequacy$MSAi))),
  value = c(adequacy$MSA, test$chisq, test$df, adequacy$MSAi)
), "bfi_adequacy.csv")

# A correlation matrix that is not positive definite, and what psych makes of it.
bad <- matrix(c(1, .9, .1, .9, 1, .9, .1, .9, 1), 3)
save(data.frame(suppressWarnings(psych::cor.smooth(bad))), "smoothed.csv")
