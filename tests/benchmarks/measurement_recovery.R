# Does with psych what measurement_recovery.py does with psychoseg.
# Takes: a folder of study_*.csv (answers, no header, NA where missing) with truth.csv (study, n, m),
# and how many of them to do. Writes loadings_*.csv (pattern) and psych.csv (a row a study, appended
# as it is done) there.

arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[[1L]]
truth <- utils::head(utils::read.csv(file.path(folder, "truth.csv")), as.integer(arguments[[2L]]))
options(mc.cores = 1L)
set.seed(1)

quietly <- function(code) {
  utils::capture.output(value <- suppressMessages(suppressWarnings(code)))
  value
}
timed <- function(code) {
  start <- proc.time()[["elapsed"]]
  value <- tryCatch(quietly(code), error = function(e) NULL)
  list(value = value, seconds = proc.time()[["elapsed"]] - start)
}
or_na <- function(value) if (is.null(value)) NA else value

for (i in seq_len(nrow(truth))) {
  study <- truth$study[[i]]
  n <- truth$n[[i]]
  x <- utils::read.csv(file.path(folder, sprintf("study_%03d.csv", study)), header = FALSE)
  r <- timed(psych::polychoric(x)$rho)
  fit <- timed(psych::fa(
    r$value, nfactors = truth$m[[i]], n.obs = n, fm = "minres", rotate = "oblimin"
  ))
  if (!is.null(fit$value)) {
    utils::write.table(
      unclass(fit$value$loadings), file.path(folder, sprintf("loadings_%03d.csv", study)),
      sep = ",", row.names = FALSE, col.names = FALSE
    )
  }
  parallel <- timed(psych::fa.parallel(r$value, n.obs = n, n.iter = 20, plot = FALSE))
  # MAP is the same whatever vss extracts; components are quickest.
  map <- timed(psych::vss(r$value, n = 15, fm = "pc", n.obs = n, plot = FALSE)$map)
  row <- data.frame(
    study = study, nfact = or_na(parallel$value$nfact), ncomp = or_na(parallel$value$ncomp),
    map = if (is.null(map$value)) NA else which.min(map$value),
    seconds_polychoric = r$seconds, seconds_fa = fit$seconds, seconds_parallel = parallel$seconds,
    seconds_map = map$seconds
  )
  file <- file.path(folder, "psych.csv")
  utils::write.table(
    row, file, sep = ",", row.names = FALSE, append = i > 1L, col.names = i == 1L
  )
}
