# Answer files -> tables of text: CSV and TSV through utils, SPSS through haven. Interprets no
# answer.
#
# A table is a list: path, cells (data frame of trimmed text, "" where there is no answer), rows
# (line or case number of each row), labels, questions, value_labels (each by column name), decimal.

separators <- c(comma = ",", semicolon = ";", tab = "\t", pipe = "|")

read_file <- function(spec, folder, id = spec$id) {
  path <- file.path(folder, spec$file)
  if (grepl("^(/|[A-Za-z]:)", spec$file)) path <- spec$file
  if (!file.exists(path)) {
    fail("the file ", path, " does not exist: correct the path in study.toml.")
  }
  ending <- tolower(tools::file_ext(path))
  table <- if (ending %in% c("csv", "tsv", "tab", "txt", "dat")) {
    read_text(path, spec)
  } else if (ending %in% c("sav", "zsav", "por")) {
    read_spss(path)
  } else if (ending %in% c("xlsx", "xlsm")) {
    fail(
      "segment_survey.R does not read Excel workbooks (", path,
      "): save the sheet as CSV, or use `psychoseg run`."
    )
  } else {
    fail(path, ": files ending in ", ending, " cannot be read; save it as CSV.")
  }
  texts <- setdiff(trimws(spec$missing), "")
  for (name in setdiff(names(table$cells), id)) {
    column <- table$cells[[name]]
    table$cells[[name]] <- ifelse(column %in% texts, "", column)
  }
  table
}

read_text <- function(path, spec) {
  lines <- read_lines(path, spec$encoding)
  separator <- find_separator(lines, spec)
  fields <- utils::count.fields(
    textConnection(lines),
    sep = separator, quote = "\"", comment.char = "", blank.lines.skip = FALSE
  )
  # Within a record of several lines only the last line has a count.
  ends <- which(!is.na(fields))
  starts <- c(1L, utils::head(ends, -1L) + 1L)
  blank <- starts == ends & trimws(lines[starts]) == ""
  starts <- starts[!blank]
  width <- fields[ends[!blank]]
  if (is.na(utils::tail(fields, 1L))) {
    fail(path, ": a quote opens and never closes; remove it, or double it.")
  }
  odd <- which(width != width[[1L]])
  if (length(odd) > 0L) {
    fail(
      path, ": the header has ", width[[1L]], " cells, but line ", starts[odd[[1L]]], " has ",
      width[odd[[1L]]], "."
    )
  }
  cells <- utils::read.table(
    text = lines, sep = separator, quote = "\"", comment.char = "", colClasses = "character",
    na.strings = character(), header = FALSE, encoding = "UTF-8", blank.lines.skip = TRUE,
    fill = FALSE
  )
  cells[] <- lapply(cells, trimws)
  check_swallowed(cells, separator, path, starts)
  heads <- seq_len(spec$header_rows)
  header <- read_header(lapply(heads, function(i) unlist(cells[i, ], use.names = FALSE)), path)
  body <- cells[-heads, , drop = FALSE]
  starts <- starts[-heads]
  filled <- rowSums(body != "") > 0L
  last <- if (any(filled)) max(which(filled)) else fail(
    path, " has a header but no answers below it."
  )
  body <- body[seq_len(last), , drop = FALSE]
  names(body) <- header$names
  rownames(body) <- NULL
  list(
    path = path, file = spec$file, cells = body, rows = starts[seq_len(last)],
    labels = stats::setNames(header$labels, header$names),
    questions = stats::setNames(header$questions, header$names),
    value_labels = list(), decimal = spec$decimal
  )
}

read_lines <- function(path, encoding) {
  bytes <- readBin(path, "raw", file.size(path))
  if (encoding == "auto") {
    start <- as.integer(utils::head(bytes, 2L))
    utf16 <- identical(start, c(255L, 254L)) || identical(start, c(254L, 255L))
    utf8 <- validUTF8(rawToChar(bytes[bytes != 0L]))
    encoding <- if (utf16) "UTF-16" else if (utf8) "UTF-8" else "windows-1252"
    if (encoding == "windows-1252") {
      warning(basename(path), " is not UTF-8 and was read as windows-1252", call. = FALSE)
    }
  }
  # Python's names for encodings that iconv calls otherwise.
  known <- c(`latin-1` = "ISO-8859-1", `utf-8-sig` = "UTF-8", `mac-roman` = "MACINTOSH")
  from <- if (tolower(encoding) %in% names(known)) known[[tolower(encoding)]] else encoding
  text <- tryCatch(
    iconv(list(bytes), from = from, to = "UTF-8"),
    error = function(e) fail(
      path, ": R knows no encoding ", encoding, "; use a name such as UTF-8 or CP1252."
    )
  )
  if (is.na(text)) {
    fail(
      path, " does not fit the encoding ", encoding, ": set encoding to what the file was saved in."
    )
  }
  lines <- strsplit(sub("^\ufeff", "", text), "\r\n|\n|\r")[[1L]]
  if (!any(nzchar(trimws(lines)))) fail(path, " is empty.")
  lines
}

# The separator that divides most of the first lines into as many cells as the header.
find_separator <- function(lines, spec) {
  if (spec$separator != "auto") {
    return(
      if (spec$separator %in% names(separators)) separators[[spec$separator]] else spec$separator
    )
  }
  first <- utils::head(lines, 100L)
  score <- vapply(separators, function(mark) {
    n <- utils::count.fields(textConnection(first), sep = mark, quote = "\"", comment.char = "")
    n <- n[!is.na(n)]
    c(if (n[[1L]] > 1L) mean(n == n[[1L]]) else 0, n[[1L]])
  }, numeric(2))
  if (spec$decimal == ",") score[, "comma"] <- score[, "comma"] * c(0.01, 1)
  separators[[order(-score[1L, ], -score[2L, ])[[1L]]]]
}

# A stray quote makes one answer of several rows: the answer then holds a line that looks like a
# row.
check_swallowed <- function(cells, separator, path, starts) {
  for (name in names(cells)) {
    long <- grep("\n", cells[[name]], fixed = TRUE)
    for (i in long) {
      inside <- strsplit(cells[[name]][[i]], "\n", fixed = TRUE)[[1L]]
      marks <- lengths(regmatches(inside, gregexpr(separator, inside, fixed = TRUE)))
      if (any(marks == ncol(cells) - 1L & marks > 0L)) {
        fail(
          path, ", line ", starts[[i]],
          ": a stray quote swallows whole rows; remove the quote, or double it."
        )
      }
    }
  }
}

# The rules of psychoseg/survey/header.py: one row of names; two of names and labels (Qualtrics) or
# of questions and options (SurveyMonkey); three of names, labels and import ids.
read_header <- function(rows, path) {
  none <- rep("", length(rows[[1L]]))
  repeated <- unique(rows[[1L]][duplicated(rows[[1L]]) & rows[[1L]] != ""])
  if (length(rows) == 1L) {
    if (length(repeated) > 0L) fail(path, ": the header repeats the name ", repeated[[1L]], ".")
    return(list(names = without_blanks(rows[[1L]]), labels = none, questions = none))
  }
  no_option <- c("", "Response", "Open-Ended Response")
  if (length(rows) == 3L || (length(repeated) == 0L && !any(rows[[1L]] == ""))) {
    labels <- ifelse(rows[[2L]] %in% no_option, "", rows[[2L]])
    return(list(names = numbered(without_blanks(rows[[1L]])), labels = labels, questions = none))
  }
  question <- rows[[1L]]
  for (j in seq_along(question)[-1L]) if (question[[j]] == "") question[[j]] <- question[[j - 1L]]
  alone <- rows[[2L]] %in% no_option
  names <- ifelse(
    alone, question, ifelse(question == "", rows[[2L]], paste0(question, ": ", rows[[2L]]))
  )
  list(
    names = numbered(without_blanks(names)), labels = ifelse(alone, "", rows[[2L]]),
    questions = ifelse(alone, "", question)
  )
}

without_blanks <- function(names) ifelse(names == "", paste0("column_", seq_along(names)), names)

numbered <- function(names) {
  time <- stats::ave(seq_along(names), names, FUN = seq_along)
  ifelse(time > 1L, paste0(names, "_", time), names)
}

read_spss <- function(path) {
  need_packages("haven")
  read <- if (tolower(tools::file_ext(path)) == "por") haven::read_por else haven::read_sav
  frame <- tryCatch(
    read(path), # user-missing codes come as NA
    error = function(e) fail(path, " cannot be read as an SPSS file (", conditionMessage(e), ").")
  )
  value_labels <- lapply(frame, function(column) {
    labels <- attr(column, "labels", exact = TRUE)
    if (is.null(labels)) return(NULL)
    stats::setNames(trimws(names(labels)), number_text(unname(labels)))
  })
  labels <- vapply(frame, function(column) {
    label <- attr(column, "label", exact = TRUE)
    if (is.null(label)) "" else trimws(label)
  }, character(1))
  cells <- as.data.frame(lapply(frame, function(column) {
    text <- if (inherits(column, c("Date", "POSIXct"))) format(column) else number_text(
      haven::zap_labels(column)
    )
    ifelse(is.na(text), "", trimws(text))
  }), check.names = FALSE, optional = TRUE)
  list(
    path = path, file = basename(path), cells = cells, rows = seq_len(nrow(cells)), labels = labels,
    questions = stats::setNames(rep("", ncol(cells)), names(cells)),
    value_labels = value_labels[lengths(value_labels) > 0L], decimal = "."
  )
}

# 5, not 5.0; NA stays NA.
number_text <- function(x) {
  if (!is.numeric(x)) return(as.character(x))
  format_full(as.numeric(x))
}

parse_number <- function(text, decimal = ".") {
  if (decimal == ",") text <- ifelse(
    grepl(".", text, fixed = TRUE), "text", sub(",", ".", text, fixed = TRUE)
  )
  number <- grepl("^[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?$", text)
  out <- rep(NA_real_, length(text))
  out[number] <- as.numeric(text[number])
  out
}
