# Takes psychTools::bfi and psychTools::bfi.dictionary (Debian: apt install r-cran-psychtools).
# Writes data.csv and codebook.csv beside this script:
#
#     Rscript surveys/big_five/make_data.R
#
# psychTools 2.2.9 gives the bytes that are in the repository.

if (!requireNamespace("psychTools", quietly = TRUE)) {
  stop("R package psychTools is not installed; on Debian: apt install r-cran-psychtools", call. = FALSE)
}

script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
folder <- if (length(script) == 1) dirname(script) else "."

bfi <- psychTools::bfi
dictionary <- psychTools::bfi.dictionary[names(bfi), ]

data <- data.frame(id = rownames(bfi), bfi)
codebook <- data.frame(name = names(bfi), label = as.character(dictionary$Item))
# The dictionary holds a note on the coding where the demographics' labels should be.
demographics <- c(gender = "Gender", education = "Education", age = "Age")
codebook$label[match(names(demographics), codebook$name)] <- demographics

write_table <- function(table, file) {
  # A connection opened as binary, so that Windows writes the same line ends as everyone else.
  out <- file(file.path(folder, file), open = "wb")
  on.exit(close(out))
  write.csv(table, out, row.names = FALSE, na = "", fileEncoding = "UTF-8")
}

write_table(data, "data.csv")
write_table(codebook, "codebook.csv")
