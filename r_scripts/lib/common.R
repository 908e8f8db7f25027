# Shared by the scripts of this folder: arguments, errors for the user, packages, writing.
#
# Takes and writes nothing by itself. A mistake of the user is a condition of class "user_error":
# one sentence on stderr and exit status 2. Anything else that stops a script is a fault of ours:
# one sentence, exit status 1.

debian_packages <- c(
  GPArotation = "r-cran-gparotation", RcppTOML = "r-cran-rcpptoml", cluster = "r-cran-cluster",
  dendextend = "r-cran-dendextend", factoextra = "r-cran-factoextra",
  fastcluster = "r-cran-fastcluster", ggplot2 = "r-cran-ggplot2", haven = "r-cran-haven",
  jsonlite = "r-cran-jsonlite", lavaan = "r-cran-lavaan", psych = "r-cran-psych"
)

fail <- function(...) {
  message <- paste0(...)
  stop(
    structure(class = c("user_error", "error", "condition"), list(message = message, call = NULL))
  )
}

need_packages <- function(packages) {
  absent <- packages[!vapply(packages, requireNamespace, logical(1), quietly = TRUE)]
  if (length(absent) > 0L) {
    fail(
      "R lacks ", paste(absent, collapse = ", "), ": install with `apt-get install ",
      paste(debian_packages[absent], collapse = " "), "`, or run `sh r_scripts/install.sh`."
    )
  }
}

# Runs `main(arguments)` as a script: usage, exit status, and warnings as one line each on stderr.
# A script with options gets them as the named list `main(arguments, options)`: `values` take the
# word after them, `flags` are TRUE where given.
run_script <- function(main, usage, max_args, values = character(), flags = character()) {
  # C.UTF-8 makes text and sorting the same on every machine.
  invisible(suppressWarnings(Sys.setlocale("LC_ALL", "C.UTF-8")))
  args <- commandArgs(trailingOnly = TRUE)
  if (any(args %in% c("-h", "--help"))) {
    cat(usage)
    quit(status = 0L)
  }
  if (length(args) == 0L) {
    cat(usage, file = stderr())
    quit(status = 2L)
  }
  status <- tryCatch(
    {
      parsed <- parse_options(args, values, flags)
      args <- parsed$args
      if (length(args) == 0L) fail("a folder is missing: see --help.")
      if (length(args) > max_args) {
        fail("too many arguments (", length(args), " given, ", max_args, " at most): see --help.")
      }
      call <- if (length(c(values, flags)) > 0L) list(args, parsed$options) else list(args)
      withCallingHandlers(do.call(main, call), warning = function(w) {
        message("warning: ", one_line(conditionMessage(w)))
        invokeRestart("muffleWarning")
      })
      0L
    },
    user_error = function(e) {
      message("error: ", one_line(conditionMessage(e)))
      2L
    },
    error = function(e) {
      message("fault of the script: ", one_line(conditionMessage(e)))
      1L
    }
  )
  quit(status = status)
}

# "--name word", "--name=word" and "--flag", in any place among the arguments.
parse_options <- function(args, values, flags) {
  options <- list()
  plain <- character()
  while (length(args) > 0L) {
    word <- args[[1L]]
    args <- args[-1L]
    name <- sub("^--", "", sub("=.*", "", word))
    if (!startsWith(word, "-")) {
      plain <- c(plain, word)
    } else if (word %in% paste0("--", flags)) {
      options[[name]] <- TRUE
    } else if (startsWith(word, "--") && name %in% values) {
      if (!grepl("=", word, fixed = TRUE)) {
        if (length(args) == 0L) fail(word, " needs a value after it: see --help.")
        word <- paste0(word, "=", args[[1L]])
        args <- args[-1L]
      }
      options[[name]] <- sub("^[^=]*=", "", word)
    } else {
      fail("unknown option ", word, ": see --help.")
    }
  }
  list(args = plain, options = options)
}

one_line <- function(text) gsub("\\s+", " ", trimws(paste(text, collapse = " ")))

read_table <- function(file, text_columns = character()) {
  header <- names(utils::read.csv(file, nrows = 1L, check.names = FALSE, encoding = "UTF-8"))
  classes <- stats::setNames(rep(NA_character_, length(header)), header)
  classes[intersect(header, text_columns)] <- "character"
  utils::read.csv(
    file,
    check.names = FALSE, encoding = "UTF-8", na.strings = "", stringsAsFactors = FALSE,
    colClasses = classes
  )
}

# Numbers in full (17 significant digits give the same double back), missing values as empty cells.
write_table <- function(frame, file) {
  dir.create(dirname(file), recursive = TRUE, showWarnings = FALSE)
  number <- vapply(frame, is.double, logical(1))
  frame[number] <- lapply(frame[number], format_full)
  text <- vapply(frame, function(x) is.character(x) || is.factor(x), logical(1)) & !number
  flags <- vapply(frame, is.logical, logical(1))
  frame[flags] <- lapply(frame[flags], function(x) ifelse(x, "True", "False"))
  utils::write.csv(
    frame, file,
    row.names = FALSE, na = "", quote = which(text), fileEncoding = "UTF-8"
  )
}

# The shorter of 15 and 17 significant digits that reads back as the same number; NA stays NA.
format_full <- function(x) {
  text <- rep(NA_character_, length(x))
  there <- which(!is.na(x))
  text[there] <- formatC(x[there], digits = 15L, format = "g", width = 1L)
  inexact <- there[as.numeric(text[there]) != x[there]]
  text[inexact] <- formatC(x[inexact], digits = 17L, format = "g", width = 1L)
  text
}

# Breaks text at `width`, a word longer than that too, and ends what takes over `lines` lines with
# an ellipsis.
wrap <- function(text, width, lines = 3L) {
  vapply(text, function(one) {
    # Four characters are left for a number before the word, such as "10: ".
    one <- gsub(
      sprintf("(\\S{%d})(?=\\S{5})", max(width - 4L, min(width, 9L))), "\\1 ", one, perl = TRUE
    )
    parts <- strwrap(one, width + 1L)
    if (length(parts) > lines) {
      parts <- parts[seq_len(lines)]
      parts[[lines]] <- paste0(substr(parts[[lines]], 1L, width - 1L), "…")
    }
    paste(parts, collapse = "\n")
  }, character(1), USE.NAMES = FALSE)
}
