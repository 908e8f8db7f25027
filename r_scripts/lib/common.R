# Shared by the scripts of this folder: arguments, errors for the user, packages, writing.
#
# Takes and writes nothing by itself. A mistake of the user is a condition of class "user_error":
# one sentence on stderr and exit status 2. Anything else that stops a script is a fault of ours:
# one sentence, exit status 1.

debian_packages <- c(
  GPArotation = "r-cran-gparotation", RcppTOML = "r-cran-rcpptoml", cluster = "r-cran-cluster",
  dendextend = "r-cran-dendextend", factoextra = "r-cran-factoextra",
  fastcluster = "r-cran-fastcluster", ggplot2 = "r-cran-ggplot2", haven = "r-cran-haven",
  jsonlite = "r-cran-jsonlite", knitr = "r-cran-knitr", lavaan = "r-cran-lavaan",
  psych = "r-cran-psych", rmarkdown = "r-cran-rmarkdown"
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

# When the script began; no progress is told before, nor with --quiet.
clock <- new.env()

# What is being done now, on stderr, after the seconds since the start.
progress <- function(...) {
  if (!is.null(clock$started)) message(sprintf("[%3.0f s] ", seconds_since(clock$started)), ...)
}

# Of a long loop, every ten seconds: how far it is, and how long the rest takes at that pace.
# Returns the function to call after each of `n` rounds.
progress_of <- function(what, n) {
  began <- last <- Sys.time()
  function(done) {
    if (seconds_since(last) < 10) return(invisible())
    last <<- Sys.time()
    left <- seconds_since(began) * (n - done) / done
    progress(what, ": ", done, " of ", n, " done, about ", duration(left), " left")
  }
}

seconds_since <- function(time) as.numeric(difftime(Sys.time(), time, units = "secs"))

duration <- function(seconds) {
  if (seconds < 90) sprintf("%.0f s", seconds) else sprintf("%.0f minutes", seconds / 60)
}

# Runs `main(arguments)` as a script: usage, exit status, and warnings as one line each on stderr.
# A script with options gets them as the named list `main(arguments, options)`: `values` take the
# word after them, `flags` are TRUE where given. Every script takes --quiet.
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
      parsed <- parse_options(args, values, c(flags, "quiet"))
      if (is.null(parsed$options$quiet)) clock$started <- Sys.time()
      parsed$options$quiet <- NULL
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

# A CSV file of ours: the columns named keep their texts, the others become what they look like, and
# text that was guarded against spreadsheets comes back as it was.
read_table <- function(file, text_columns = character()) {
  connection <- file(file, "rt")
  on.exit(close(connection))
  # A spreadsheet puts a byte order mark before what it saves as "CSV UTF-8".
  first <- readLines(connection, 1L, warn = FALSE, encoding = "UTF-8")
  pushBack(sub("^\ufeff", "", first), connection, encoding = "UTF-8")
  cells <- utils::read.csv(
    connection,
    check.names = FALSE, encoding = "UTF-8", na.strings = "", stringsAsFactors = FALSE,
    colClasses = "character"
  )
  names(cells) <- unharmed(names(cells))
  cells[] <- lapply(names(cells), function(name) {
    column <- cells[[name]]
    if (!name %in% text_columns) column <- utils::type.convert(
      column, na.strings = "", as.is = TRUE
    )
    if (is.character(column)) unharmed(column) else column
  })
  cells
}

# Numbers in full (17 significant digits give the same double back), missing values as empty cells,
# text that a spreadsheet would run guarded.
write_table <- function(frame, file) {
  dir.create(dirname(file), recursive = TRUE, showWarnings = FALSE)
  number <- vapply(frame, is.double, logical(1))
  frame[number] <- lapply(frame[number], format_full)
  text <- vapply(frame, function(x) is.character(x) || is.factor(x), logical(1)) & !number
  flags <- vapply(frame, is.logical, logical(1))
  frame[flags] <- lapply(frame[flags], function(x) ifelse(x, "True", "False"))
  frame[text] <- lapply(frame[text], function(x) harmless(as.character(x)))
  names(frame) <- harmless(names(frame))
  utils::write.csv(
    frame, file,
    row.names = FALSE, na = "", quote = which(text), fileEncoding = "UTF-8"
  )
}

# Text that a spreadsheet would run gets an apostrophe before it, and loses it again: the rules of
# psychoseg/spreadsheet.py, whose comments say what is skipped and what runs.
harmless <- function(text) ifelse(spreadsheet_runs(text), paste0("'", text), text)

unharmed <- function(text) {
  guarded <- startsWith(text, "'") & spreadsheet_runs(text)
  ifelse(guarded %in% TRUE, substring(text, 2L), text)
}

spreadsheet_skipped <- paste0(
  " '\"`\u00b4\u00a0\u00ab\u00bb\u1680\u2000-\u200d\u2018-\u201f\u202f\u205f\u2060\u3000",
  "\ufeff\uff02\uff07"
)
spreadsheet_starts <- paste0(
  "=+\\-@\\x00-\\x1f\\x7f-\\x9f\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b"
)

spreadsheet_runs <- function(text) {
  rest <- sub(sprintf("^[%s]*", spreadsheet_skipped), "", text, perl = TRUE)
  number <- "^[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?\\z"
  grepl(sprintf("^[%s]", spreadsheet_starts), rest, perl = TRUE) &
    !grepl(number, rest, perl = TRUE)
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

# Breaks text at `width` columns (a Chinese sign takes two), a word wider than that too, and ends
# what takes over `lines` lines with an ellipsis.
wrap <- function(text, width, lines = 3L) {
  vapply(as.character(text), function(one) {
    words <- unlist(lapply(strsplit(one, "\\s+")[[1L]], pieces, width))
    parts <- strwrap(paste(words, collapse = " "), width + 1L)
    if (length(parts) > lines) {
      parts <- parts[seq_len(lines)]
      parts[[lines]] <- paste0(strtrim(parts[[lines]], width - 1L), "\u2026")
    }
    paste(parts, collapse = "\n")
  }, character(1), USE.NAMES = FALSE)
}

# A word, or its parts of `width` columns at most; four are left for a number such as "10: ".
pieces <- function(word, width) {
  if (nchar(word, "width") <= width) return(word)
  signs <- strsplit(word, "")[[1L]]
  at <- (cumsum(nchar(signs, "width")) - 1L) %/% max(width - 4L, 4L)
  as.vector(tapply(signs, at, paste, collapse = ""))
}
