# Takes: psychTools' bfi and the package careless, which is not in Debian (CRAN, version 1.1.3).
# Writes: quality_bfi.csv beside this file.
# Run by hand: Rscript tests/reference/make_quality_reference.R
# Made with R 4.2.2, psych 2.2.9, psychTools 2.2.9 and careless rebuilt from the function sources in the
# GitHub mirror cran/careless (1.1.3, commit 7165e4f; mahad from f6eef90): CRAN itself was out of reach.
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
data(bfi, package = "psychTools")
x <- bfi[1:300, 1:25]
keyed <- x
turn <- c("A1", "C4", "C5", "E1", "E2", "O2", "O5")
keyed[, turn] <- 7 - keyed[, turn]
full <- complete.cases(x)
run <- careless::longstring(as.matrix(x), avg = TRUE)
distance <- rep(NA, nrow(x))
distance[full] <- careless::mahad(x[full, ], plot = FALSE)
out <- data.frame(
  longest = run$longstr, average = run$avgstr, irv = careless::irv(x), mahad = distance,
  even_odd = suppressWarnings(careless::evenodd(keyed, rep(5, 5))),
  synonyms = careless::psychsyn(x, .45), antonyms = suppressWarnings(careless::psychant(x, -.35))
)
write.csv(format(out, digits = 12, trim = TRUE), file.path(here, "quality_bfi.csv"), row.names = FALSE, quote = FALSE)
