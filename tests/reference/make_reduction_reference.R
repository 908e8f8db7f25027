# Takes: FactoMineR's tea, wine, poison and decathlon, cluster's flower, MASS's survey, R's USArrests.
# Writes: the reduction_*.csv reference values beside this file.
# Run by hand: Rscript tests/reference/make_reduction_reference.R
# Made with R 4.2.2, FactoMineR 2.7, cluster 2.1.4, MASS 7.3-58.2 (Debian 12).
suppressPackageStartupMessages(library(FactoMineR))
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
save <- function(x, name) {
  write.csv(format(x, digits = 15, trim = TRUE), file.path(here, name), row.names = FALSE, quote = FALSE)
}
data(tea)
data(wine)
data(decathlon)
save(wine, "reduction_wine.csv")
save(decathlon, "reduction_decathlon.csv")
save(USArrests, "reduction_usarrests.csv")

# The weights of the rows are 1, 2, 3, 1, 2, 3, ... where an analysis is called weighted.
weights <- function(x) rep_len(1:3, nrow(x))
ncp <- 5
eigenvalues <- rows <- supplementary <- variables <- NULL
# What FactoMineR says of the columns themselves: eta2 of a categorical variable has no other measure.
about <- function(name, measure, values) {
  values <- as.matrix(values)[, seq_len(ncp), drop = FALSE]
  colnames(values) <- paste0("dim", seq_len(ncp))
  variables <<- rbind(variables, data.frame(analysis = name, measure = measure, column = rownames(values), values))
}
keep <- function(name, result, sup) {
  eig <- result$eig[, 1]
  eigenvalues <<- rbind(eigenvalues, data.frame(analysis = name, component = seq_along(eig), eigenvalue = eig))
  every <- seq(1, nrow(result$ind$coord), by = 7)
  coord <- result$ind$coord[every, seq_len(ncp)]
  colnames(coord) <- paste0("dim", seq_len(ncp))
  rows <<- rbind(rows, data.frame(analysis = name, row = every, coord))
  if (length(sup)) {
    sup <- sup[, seq_len(ncp)]
    colnames(sup) <- paste0("dim", seq_len(ncp))
    supplementary <<- rbind(supplementary, data.frame(analysis = name, column = rownames(sup), sup))
  }
}
for (weighted in c(FALSE, TRUE)) {
  w <- function(x) if (weighted) weights(x) else NULL
  tag <- if (weighted) "_weighted" else ""
  pca <- PCA(decathlon, quanti.sup = 11:12, quali.sup = 13, row.w = w(decathlon), ncp = ncp, graph = FALSE)
  keep(paste0("decathlon_pca", tag), pca, rbind(pca$quanti.sup$coord, pca$quali.sup$coord))
  mca <- MCA(tea, quanti.sup = 19, quali.sup = 20:36, row.w = w(tea), ncp = ncp, graph = FALSE)
  keep(paste0("tea_mca", tag), mca, rbind(mca$quanti.sup$coord, mca$quali.sup$coord))
  for (measure in c("coord", "contrib", "cos2", "eta2")) about(paste0("tea_mca", tag), measure, mca$var[[measure]])
  keep(paste0("wine_famd", tag), FAMD(wine, row.w = w(wine), ncp = ncp, graph = FALSE), NULL)
  famd <- FAMD(tea[, 1:19], row.w = w(tea), ncp = ncp, graph = FALSE)
  keep(paste0("tea_famd", tag), famd, NULL)
  for (measure in c("coord", "contrib", "cos2")) {
    about(paste0("tea_famd", tag), measure, rbind(famd$quanti.var[[measure]], famd$quali.var[[measure]]))
  }
  about(paste0("tea_famd", tag), "eta2", famd$var$coord)
  mfa <- MFA(wine,
    group = c(2, 5, 3, 10, 9, 2), type = c("n", rep("s", 5)), row.w = w(wine), ncp = ncp, graph = FALSE
  )
  keep(paste0("wine_mfa", tag), mfa, NULL)
}
data(poison)
save(poison[, 3:15], "reduction_poison.csv")
mca <- MCA(poison[, 3:15], ncp = ncp, graph = FALSE)
for (measure in c("coord", "contrib", "cos2", "eta2")) about("poison_mca", measure, mca$var[[measure]])
save(eigenvalues, "reduction_eigenvalues.csv")
save(rows, "reduction_rows.csv")
save(supplementary, "reduction_supplementary.csv")
save(variables, "reduction_variables.csv")

# Consolidation: clusters of every row, and the between inertia of the tree and of its consolidation.
hcpc <- function(name, reduced, k) {
  done <- HCPC(reduced, nb.clust = k, graph = FALSE, order = FALSE)
  labels <- as.integer(done$data.clust$clust)
  data.frame(
    analysis = name, row = seq_along(labels), cluster = labels,
    before = done$call$bw.before.consol, after = done$call$bw.after.consol
  )
}
save(rbind(
  hcpc("tea", MCA(tea[, 1:18], ncp = 20, graph = FALSE), 3),
  hcpc("usarrests", PCA(USArrests, ncp = 3, graph = FALSE), 4)
), "reduction_hcpc.csv")

# Gower: flower has nominal, ordinal, interval and asymmetric columns; three gaps are made in it.
# MASS's survey has gaps of its own.
flower <- cluster::flower
flower[cbind(c(2, 5, 5), c(1, 4, 7))] <- NA
column_weights <- c(1, 2, 0.5, 1, 1, 3, 0.25, 1)
gower <- function(x, ...) as.matrix(suppressWarnings(cluster::daisy(x, metric = "gower", ...)))
types <- list(asymm = c("V1", "V2", "V3"))
plain <- gower(flower, type = types)
weighted <- gower(flower, type = types, weights = column_weights)
pairs <- which(lower.tri(plain), arr.ind = TRUE)
save(data.frame(lapply(flower, function(v) as.numeric(as.character(v)))), "reduction_flower.csv")
save(
  data.frame(i = pairs[, 1], j = pairs[, 2], plain = plain[pairs], weighted = weighted[pairs]),
  "reduction_gower.csv"
)
survey <- MASS::survey
survey$Smoke <- factor(survey$Smoke, levels = c("Never", "Occas", "Regul", "Heavy"), ordered = TRUE)
save(data.frame(
  row = seq_len(nrow(survey)), sum = rowSums(gower(survey)),
  sum_of_squares = rowSums(gower(survey)^2)
), "reduction_gower_survey.csv")

# Medoids: rows of the medoids and the mean distance to them, after the swaps.
pam <- function(name, d, ks) {
  do.call(rbind, lapply(ks, function(k) {
    done <- cluster::pam(d, k, diss = TRUE)
    data.frame(
      data = name, k = k, objective = done$objective[["swap"]],
      build = done$objective[["build"]], medoids = paste(sort(done$id.med), collapse = " ")
    )
  }))
}
save(rbind(
  pam("usarrests", dist(scale(USArrests)), 2:7),
  pam("wine", dist(scale(wine[, 3:31])), 2:5),
  pam("flower", as.dist(plain), 2:5)
), "reduction_pam.csv")
