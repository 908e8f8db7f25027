# Takes: nothing (R's USArrests and iris). Writes: the indices_*.csv reference values beside this file.
# Run by hand: Rscript tests/reference/make_indices_reference.R
# Made with R 4.2.2, fpc 2.2-10, cluster 2.1.4 (Debian 12).
suppressPackageStartupMessages({library(fpc); library(cluster)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
save <- function(x, name) {
  write.csv(format(x, digits = 15, trim = TRUE), file.path(here, name), row.names = FALSE, quote = FALSE)
}
# Identical rows would tie; iris has one pair, whose merge at height 0 comes first in any order.
sets <- list(USArrests = scale(USArrests), iris = scale(iris[, 1:4]))
points <- do.call(rbind, lapply(names(sets), function(name) {
  data.frame(set = name, setNames(as.data.frame(sets[[name]]), paste0("v", 1:4)))
}))
save(points, "indices_points.csv")
ward <- function(x, k) list(cluster = cutree(hclust(dist(x), "ward.D2"), k))

internal <- do.call(rbind, lapply(names(sets), function(name) {
  x <- sets[[name]]
  tree <- hclust(dist(x), "ward.D2")
  do.call(rbind, lapply(2:10, function(k) {
    labels <- cutree(tree, k)
    s <- cluster.stats(dist(x), labels)
    finer <- cutree(tree, k + 1)
    split <- which(tapply(finer, labels, function(v) length(unique(v))) == 2)
    inside <- labels == split
    dh <- dudahart2(x[inside, , drop = FALSE], as.integer(factor(finer[inside])))
    data.frame(
      set = name, k = k, within = s$within.cluster.ss, calinski_harabasz = s$ch, dunn = s$dunn,
      silhouette = s$avg.silwidth, smallest = s$min.cluster.size, height = rev(tree$height)[k - 1],
      duda_hart = dh$dh, duda_hart_critical = dh$compare
    )
  }))
}))
save(internal, "indices_internal.csv")

# The uniform reference sets are drawn in R; 500 of them keep the Monte Carlo error small.
gaps <- do.call(rbind, lapply(names(sets), function(name) {
  set.seed(1)
  g <- clusGap(sets[[name]], ward, K.max = 8, B = 500, d.power = 2, verbose = FALSE)
  data.frame(
    set = name, k = 1:8, gap = g$Tab[, "gap"], se = g$Tab[, "SE.sim"],
    suggested = maxSE(g$Tab[, "gap"], g$Tab[, "SE.sim"], "Tibs2001SEmax")
  )
}))
save(gaps, "indices_gap.csv")

strength <- do.call(rbind, lapply(names(sets), function(name) {
  set.seed(1)
  p <- prediction.strength(
    sets[[name]], Gmin = 2, Gmax = 6, M = 200, clustermethod = hclustCBI, method = "ward.D2",
    classification = "centroid"
  )
  data.frame(set = name, k = 2:6, strength = p$mean.pred[2:6],
    se = sapply(2:6, function(k) sd(p$predcorr[[k]]) / sqrt(200)))
}))
save(strength, "indices_prediction.csv")
