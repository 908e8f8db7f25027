# Does with R's packages what segments_recovery.py does with psychoseg.
# Takes: a folder of x_*.csv (standardised columns, no header) with truth.csv (truth, k, apart).
# Writes there: r_*.csv (labels of HCPC and of the hcut trees at the k of silhouette and gap) and
# r.csv (the three k, a row a truth, appended as it is done).

folder <- commandArgs(trailingOnly = TRUE)[[1L]]
truth <- utils::read.csv(file.path(folder, "truth.csv"))
set.seed(1)

best_of <- function(data) as.integer(as.character(data$clusters[which.max(data$y)]))

for (i in seq_len(nrow(truth))) {
  number <- truth$truth[[i]]
  x <- utils::read.csv(file.path(folder, sprintf("x_%02d.csv", number)), header = FALSE)
  components <- FactoMineR::PCA(x, ncp = ncol(x), graph = FALSE)
  hcpc <- FactoMineR::HCPC(components, nb.clust = -1, graph = FALSE)
  labels <- as.integer(hcpc$data.clust$clust)
  by_silhouette <- best_of(
    factoextra::fviz_nbclust(x, factoextra::hcut, method = "silhouette", k.max = 10)$data
  )
  gap <- cluster::clusGap(x, factoextra::hcut, K.max = 10, B = 50, verbose = FALSE)
  # What fviz_nbclust(method = "gap_stat") marks: firstSEmax, one standard error.
  by_gap <- cluster::maxSE(gap$Tab[, "gap"], gap$Tab[, "SE.sim"], method = "firstSEmax")
  cut_at <- function(k) if (k == 1L) rep(1L, nrow(x)) else factoextra::hcut(x, k)$cluster
  utils::write.table(
    cbind(labels, cut_at(by_silhouette), cut_at(by_gap)),
    file.path(folder, sprintf("r_%02d.csv", number)),
    sep = ",", row.names = FALSE, col.names = FALSE
  )
  utils::write.table(
    data.frame(truth = number, k1 = length(unique(labels)), k2 = by_silhouette, k3 = by_gap),
    file.path(folder, "r.csv"),
    sep = ",", row.names = FALSE, append = i > 1L, col.names = i == 1L
  )
}
