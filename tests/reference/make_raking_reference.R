# Takes: the folder of pew_dec13_excerpt.csv and pew_acs_2017_targets.csv (pewmethods, MIT licence).
# Writes: raking_pew.csv beside this file: per cell of sex, age and education, what survey::rake multiplies weights by.
# Run by hand: Rscript tests/reference/make_raking_reference.R ../shared/data/04_values_social
# Made with R 4.2.2, survey 4.1.1 (Debian 12).
suppressPackageStartupMessages(library(survey))
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
folder <- commandArgs(trailingOnly = TRUE)[1]
pew <- read.csv(file.path(folder, "pew_dec13_excerpt.csv"))
acs <- read.csv(file.path(folder, "pew_acs_2017_targets.csv"))
listed <- pew$sex %in% acs$sex & pew$recage %in% acs$recage & pew$receduc %in% acs$receduc
pew <- pew[listed, ]
margin <- function(...) aggregate(list(Freq = acs$weight * nrow(pew) / sum(acs$weight)), list(...), sum)
sexed <- setNames(margin(acs$sex, acs$receduc), c("sex", "receduc", "Freq"))
aged <- setNames(margin(acs$recage), c("recage", "Freq"))
simple <- list(
  setNames(margin(acs$sex), c("sex", "Freq")), aged, setNames(margin(acs$receduc), c("receduc", "Freq"))
)
rake_to <- function(base, formulas, margins) {
  # An absolute epsilon: 1e-9 people.
  start <- base / mean(base)
  design <- svydesign(ids = ~1, weights = start, data = pew)
  weights(rake(design, formulas, margins, control = list(maxit = 5000, epsilon = 1e-9))) / start
}
one <- rep(1, nrow(pew))
factors <- data.frame(
  pew[, c("sex", "recage", "receduc")],
  three = rake_to(one, list(~sex, ~recage, ~receduc), simple),
  crossed = rake_to(one, list(~ sex + receduc, ~recage), list(sexed, aged)),
  weighted = rake_to(pew$weight, list(~sex, ~recage, ~receduc), simple)
)
cells <- factors[!duplicated(factors[, 1:3]), ]
cells <- cells[order(cells$sex, cells$recage, cells$receduc), ]
write.csv(format(cells, digits = 14, trim = TRUE), file.path(here, "raking_pew.csv"), row.names = FALSE, quote = FALSE)
