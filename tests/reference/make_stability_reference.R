# Takes: nothing (R's USArrests and iris), and the Young People survey where its folder is given as the
# one argument. Writes: the stability_*.csv reference values beside this file.
# Run by hand: Rscript tests/reference/make_stability_reference.R ../shared/data/01_young_people_survey
# Made with R 4.2.2, fpc 2.2-10 (Debian 12).
suppressPackageStartupMessages(library(fpc))
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
save <- function(x, name) {
  write.csv(format(x, digits = 15, trim = TRUE), file.path(here, name), row.names = FALSE, quote = FALSE)
}

# USArrests and iris scaled, as in indices_points.csv; normal clusters that overlap; and scale means of
# 1010 young people, standardised, with a little noise so that no two distances are equal.
set.seed(20)
overlapping <- matrix(rnorm(4 * 240), 240) + 1.6 * diag(4)[rep(1:3, c(120, 80, 40)), ]
answers <- read.csv(file.path(commandArgs(trailingOnly = TRUE), "responses.csv"))
# Eight runs of items: music, films, interests (twice), fears, habits and views (three times).
runs <- list(1:19, 20:31, 32:47, 48:63, 64:73, 77:95, 96:114, 115:133)
means <- sapply(runs, function(i) rowMeans(data.matrix(answers[, i]), na.rm = TRUE))
means <- means[complete.cases(means), ]
young <- scale(means + rnorm(length(means), sd = 1e-6))
# iris is rounded to .1, so that most of its distances tie: noise breaks the ties.
flowers <- scale(iris[, 1:4] + rnorm(600, sd = 1e-3))
sets <- list(
  USArrests = scale(USArrests), iris = flowers, overlapping = overlapping, young = young[1:300, ]
)
stopifnot(all(sapply(sets, function(x) !anyDuplicated(c(dist(x))))))
points <- do.call(rbind, lapply(names(sets), function(name) {
  x <- matrix(NA, nrow(sets[[name]]), 8)
  x[, seq_len(ncol(sets[[name]]))] <- sets[[name]]
  data.frame(set = name, setNames(as.data.frame(x), paste0("v", 1:8)))
}))
save(points, "stability_points.csv")

# The error of a mean over B resamples has to be small beside the .03 that is asked of us.
B <- 1000
runs <- rbind(
  expand.grid(k = c(2, 3, 4, 6), set = names(sets), method = "ward"),
  expand.grid(k = c(2, 3, 4), set = c("USArrests", "overlapping"), method = "kmeans")
)
found <- Map(function(set, k, method) {
  set.seed(1)
  x <- unname(sets[[set]])
  if (method == "ward") {
    clusterboot(x, B = B, count = FALSE, clustermethod = hclustCBI, method = "ward.D2", k = k, scaling = FALSE)
  } else {
    clusterboot(x, B = B, count = FALSE, clustermethod = kmeansCBI, k = k, runs = 30)
  }
}, as.character(runs$set), runs$k, as.character(runs$method))
save(do.call(rbind, Map(function(f, set, k, method) {
  data.frame(
    set = set, k = k, method = method, segment = seq_len(k) - 1, jaccard = f$bootmean,
    se = apply(f$bootresult, 1, sd) / sqrt(B), recovered = f$bootrecover / B, dissolved = f$bootbrd / B
  )
}, found, runs$set, runs$k, runs$method)), "stability_jaccard.csv")
# The divisions that were judged, a digit a row.
save(data.frame(runs, labels = sapply(found, function(f) paste(f$partition - 1, collapse = ""))),
  "stability_labels.csv")

# The same resamples, to compare digit by digit: hclust draws nothing, so that the people drawn are those
# of the same seed.
set.seed(1)
draws <- t(replicate(100, sample(50, 50, replace = TRUE))) - 1
set.seed(1)
found <- clusterboot(scale(USArrests), B = 100, count = FALSE, clustermethod = hclustCBI, method = "ward.D2",
  k = 4, scaling = FALSE)
save(as.data.frame(draws), "stability_draws.csv")
save(as.data.frame(t(found$bootresult)), "stability_drawn.csv")
