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
    spss_rows(read_spss(path), spec)
  } else if (ending %in% c("xlsx", "xlsm")) {
    fail(
      "segment_survey.R does not read Excel workbooks (", path,
      "): save the sheet as CSV, or use `psychoseg run`."
    )
  } else {
    fail(path, ": files ending in ", ending, " cannot be read; save it as CSV.")
  }
  check_named(table, spec)
  texts <- setdiff(trimws(spec$missing), "")
  for (name in setdiff(names(table$cells), id)) {
    column <- table$cells[[name]]
    absent <- setdiff(texts, trimws(spec$not_missing[[name]]))
    table$cells[[name]] <- ifelse(column %in% absent, "", column)
  }
  for (name in names(spec$numbers)) {
    table$cells[[name]] <- as_written(table$cells[[name]], spec$numbers[[name]])
  }
  keep_once(with_decimals(table, names(spec$numbers)), spec)
}

check_named <- function(table, spec) {
  for (key in c("numbers", "not_missing")) {
    lost <- setdiff(names(spec[[key]]), names(table$cells))
    if (length(lost) > 0L) {
      fail(table$path, ": ", key, " names the column ", lost[[1L]], ", which the file lacks.")
    }
  }
  unknown <- setdiff(unlist(spec$numbers), names(number_formats))
  if (length(unknown) > 0L) {
    fail(
      table$path, ": numbers knows no way of writing ", unknown[[1L]], "; known are ",
      paste(names(number_formats), collapse = "   "), "."
    )
  }
}

# Columns whose numbers are written anew have a decimal point.
with_decimals <- function(table, names) {
  if (length(names) == 0L) return(table)
  table$decimal <- decimals(table)
  table$decimal[names] <- "."
  table
}

# Rows out, with what the ledger says of them.
drop_rows <- function(table, at, id, reason) {
  if (length(at) == 0L) return(table)
  ids <- if (is.null(id) || !id %in% names(table$cells)) "" else table$cells[[id]][at]
  table$left_out <- rbind(table$left_out, left_out(table$rows[at], ids, reason))
  table$left_out <- table$left_out[order(table$left_out$row), , drop = FALSE]
  table$cells <- table$cells[-at, , drop = FALSE]
  rownames(table$cells) <- NULL
  table$rows <- table$rows[-at]
  table
}

left_out <- function(row, id, reason) {
  n <- length(row)
  data.frame(row = row, id = rep_len(id, n), reason = rep_len(reason, n))
}

# Of the rows with one id (without an id: of rows that are the same in every cell), one stays.
keep_once <- function(table, spec) {
  if (spec$duplicates == "error") return(table)
  if (!spec$duplicates %in% c("first", "last")) {
    fail(
      "duplicates = \"", spec$duplicates, "\" is not known; it is \"error\", \"first\" or \"last\"."
    )
  }
  whole <- do.call(paste, c(unname(table$cells), sep = "\r"))
  key <- if (is.null(spec$id)) whole else column_of(table, spec$id)
  blank <- if (is.null(spec$id)) rowSums(table$cells != "") == 0L else key == ""
  at <- which(duplicated(key, fromLast = spec$duplicates == "last") & !blank)
  rows <- if (spec$duplicates == "last") rev(seq_along(key)) else seq_along(key)
  stays <- rows[match(key[at], key[rows])]
  same <- whole[at] == whole[stays]
  reason <- ifelse(
    same, paste0("the same, cell for cell, as row ", table$rows[stays], ", which is kept"),
    paste0(
      "the same ", spec$id, " as row ", table$rows[stays], ", which is kept, with other answers"
    )
  )
  drop_rows(table, at, spec$id, reason)
}

read_text <- function(path, spec) {
  lines <- read_lines(path, spec$encoding)
  # Excel is told the separator by a first line of its own.
  told <- regexec("^\"?sep=([,;|\t])\"?$", lines[[1L]], ignore.case = TRUE)
  told <- regmatches(lines[[1L]], told)[[1L]]
  if (length(told) > 0L && spec$separator == "auto") spec$separator <- told[[2L]]
  above <- max(spec$skip_rows, if (length(told) > 0L) 1L else 0L)
  if (above >= length(lines)) fail(path, " is empty below its first ", above, " lines.")
  # Passed over as blank lines, so that every line keeps its number.
  lines[seq_len(above)] <- ""
  separator <- find_separator(lines[seq.int(above + 1L, length(lines))], spec)
  found <- find_records(lines, separator)
  gone <- match(spec$leave_out_rows, found$starts)
  if (anyNA(gone)) {
    lost <- spec$leave_out_rows[is.na(gone)][[1L]]
    fail(path, ": leave_out_rows names row ", lost, ", where no row starts.")
  }
  removed <- lapply(gone, function(i) lines[seq.int(found$starts[[i]], found$ends[[i]])])
  for (i in gone) lines[seq.int(found$starts[[i]], found$ends[[i]])] <- ""
  found <- find_records(lines, separator)
  fields <- found$fields
  starts <- found$starts
  ends <- found$ends
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
  header <- read_header(
    lapply(heads, function(i) unlist(cells[i, ], use.names = FALSE)), path,
    number_repeated = spec$repeated_names == "number"
  )
  body <- cells[-heads, , drop = FALSE]
  starts <- starts[-heads]
  filled <- rowSums(body != "") > 0L
  last <- if (any(filled)) max(which(filled)) else fail(
    path, " has a header but no answers below it."
  )
  body <- body[seq_len(last), , drop = FALSE]
  names(body) <- header$names
  rownames(body) <- NULL
  ids <- vapply(removed, function(text) {
    cell <- scan(text = text, what = "", sep = separator, quote = "\"", quiet = TRUE)
    at <- if (is.null(spec$id)) NA else match(spec$id, header$names)
    if (is.na(at) || at > length(cell)) "" else trimws(cell[[at]])
  }, "")
  list(
    left_out = left_out(
      spec$leave_out_rows, ids, "no person: left out by leave_out_rows"
    )[order(spec$leave_out_rows), , drop = FALSE],
    path = path, file = spec$file, cells = body, rows = starts[seq_len(last)],
    labels = stats::setNames(header$labels, header$names),
    questions = stats::setNames(header$questions, header$names),
    value_labels = list(), decimal = spec$decimal
  )
}

# Where each record starts and ends: within one of several lines only the last line has a count.
find_records <- function(lines, separator) {
  fields <- utils::count.fields(
    textConnection(lines),
    sep = separator, quote = "\"", comment.char = "", blank.lines.skip = FALSE
  )
  ends <- which(!is.na(fields))
  list(fields = fields, starts = c(1L, utils::head(ends, -1L) + 1L), ends = ends)
}

# Case numbers are the rows of an SPSS file.
spss_rows <- function(table, spec) {
  if (spec$skip_rows > 0L || length(spec$numbers) > 0L) {
    fail(table$path, " is an SPSS file, which has no use for skip_rows and numbers: take them out.")
  }
  lost <- setdiff(spec$leave_out_rows, table$rows)
  if (length(lost) > 0L) {
    fail(table$path, ": leave_out_rows names row ", lost[[1L]], ", which the file does not have.")
  }
  at <- match(spec$leave_out_rows, table$rows)
  drop_rows(table, at, spec$id, "no person: left out by leave_out_rows")
}

read_lines <- function(path, encoding) {
  bytes <- readBin(path, "raw", file.size(path))
  if (encoding == "auto") {
    start <- as.integer(utils::head(bytes, 2L))
    utf16 <- identical(start, c(255L, 254L)) || identical(start, c(254L, 255L))
    utf8 <- validUTF8(rawToChar(bytes[bytes != 0L]))
    if (!utf16 && !utf8) return(mixed_lines(bytes, path))
    encoding <- if (utf16) "UTF-16" else "UTF-8"
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

# A file that is not UTF-8: windows-1252, in all lines or in those that are not UTF-8.
mixed_lines <- function(bytes, path) {
  if (any(bytes == 0L)) fail(path, " is neither UTF-8 nor readable text: export it again as UTF-8.")
  text <- rawToChar(bytes)
  lines <- strsplit(text, "\r\n|\n|\r", useBytes = TRUE)[[1L]]
  odd <- !validUTF8(lines)
  other <- paste(lines[odd], collapse = "\n")
  high <- function(pattern) {
    sum(attr(gregexpr(pattern, other, perl = TRUE, useBytes = TRUE)[[1L]], "match.length"))
  }
  if (high("[\\x80-\\xff]{3,}") > 0.5 * high("[\\x80-\\xff]+")) {
    fail(path, " is not UTF-8, nor in the Latin alphabet: set encoding, such as \"cp1251\".")
  }
  letter <- "[\\xc2-\\xdf][\\x80-\\xbf]|[\\xe0-\\xef][\\x80-\\xbf]{2}"
  if (any(grepl(letter, lines[odd], perl = TRUE, useBytes = TRUE))) {
    fail(path, ": line ", which(odd)[[1L]], " mixes encodings: save the file in one.")
  }
  mixed <- any(grepl("[\\x80-\\xff]", lines[!odd], perl = TRUE, useBytes = TRUE))
  warning(
    basename(path), if (mixed) paste0(
      " mixes encodings: ", sum(odd), " of its ", length(lines), " lines are not UTF-8 and were"
    ) else " is not UTF-8 and was", " read as windows-1252", call. = FALSE
  )
  lines[odd] <- iconv(lines[odd], from = "windows-1252", to = "UTF-8")
  if (anyNA(lines)) fail(path, " does not fit windows-1252: set encoding to what it was saved in.")
  Encoding(lines) <- "UTF-8"
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
read_header <- function(rows, path, number_repeated = FALSE) {
  none <- rep("", length(rows[[1L]]))
  repeated <- unique(rows[[1L]][duplicated(rows[[1L]]) & rows[[1L]] != ""])
  if (length(rows) == 1L) {
    if (length(repeated) > 0L && !number_repeated) {
      fail(path, ": the header repeats the name ", repeated[[1L]], ".")
    }
    return(list(names = numbered(without_blanks(rows[[1L]])), labels = none, questions = none))
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

# ---- numbers as a column writes them; the rules of psychoseg/survey/numbers.py ----

# Group sign and decimal sign of each format.
number_formats <- list(
  `1234.5` = c("", "."), `1234,5` = c("", ","), `1,234.5` = c(",", "."), `1.234,5` = c(".", ","),
  `1 234.5` = c(" ", "."), `1 234,5` = c(" ", ","), `1'234.5` = c("'", "."),
  `1'234,5` = c("'", ","), `1,23,456.7` = c(",", ".")
)
currencies <- c(
  "\u20ac", "$", "\u00a3", "\u00a5", "\u20b9", "\u20bd", "\u20ba", "\u20a9", "\u20aa", "\u20b4",
  "us$", "r$", "a$", "c$", "kr", "kr.", "z\u0142", "k\u010d", "ft", "fr", "fr.", "rs", "rs.", "chf",
  "eur", "usd", "gbp", "jpy", "cny", "inr", "pln", "czk", "sek", "nok", "dkk", "huf", "rub", "brl",
  "mxn", "cad", "aud", "nzd", "zar", "try", "euro", "euros", "dollar", "dollars"
)
per_cents <- c("%", "percent", "per cent", "prozent", "pct")
thousands <- c("k", "tsd", "tsd.")
millions <- c("m", "mio", "mio.", "mn")

# Numbers written the shortest way; what is none stays as it stands.
as_written <- function(text, form) {
  known <- unique(text)
  number <- vapply(known, function(t) if (nzchar(t)) written_number(t, form) else NA_real_, 0)
  ifelse(is.na(number), known, number_text(number))[match(text, known)]
}

written_number <- function(text, form) {
  text <- trimws(gsub("[\u00a0\u202f\u2009\u2007]", " ", text))
  text <- gsub("[\u2019\u02bc]", "'", gsub("[\u2212\u2013\u2014]", "-", text))
  negative <- grepl("^\\(.*\\)$", text)
  if (negative) text <- trimws(substr(text, 2L, nchar(text) - 1L))
  text <- sub("[.,]-{1,2}$", "", text)
  at <- regexpr("[.,]?[0-9](.*[0-9])?", text)
  if (at < 0L) return(NA_real_)
  core <- regmatches(text, at)
  before <- trimws(substr(text, 1L, at - 1L))
  after <- trimws(substring(text, at + attr(at, "match.length")))
  after <- trimws(sub("^[.,]-{1,2}", "", after))
  sign <- regmatches(before, regexpr("^[-+]|[-+]$", before))
  if (length(sign) > 0L) {
    negative <- negative || sign == "-"
    before <- trimws(sub("^[-+]|[-+]$", "", before))
  }
  if (grepl("-$", after)) {
    negative <- TRUE
    after <- trimws(sub("-$", "", after))
  }
  if (after == ".") after <- ""
  factor <- unit_factor(c(before, after))
  signs <- number_formats[[form]]
  if (is.na(factor) || !grepl(number_pattern(form, signs), core)) return(NA_real_)
  if (nzchar(signs[[1L]])) core <- gsub(signs[[1L]], "", core, fixed = TRUE)
  number <- as.numeric(sub(signs[[2L]], ".", core, fixed = TRUE)) * factor
  if (!is.finite(number)) NA_real_ else if (negative) -number else number
}

number_pattern <- function(form, signs) {
  point <- paste0("[", signs[[2L]], "]")
  plain <- paste0("[0-9]+", point, "?[0-9]*|", point, "[0-9]+")
  if (!nzchar(signs[[1L]])) return(paste0("^(", plain, ")([eE][+-]?[0-9]+)?$"))
  grouped <- if (form == "1,23,456.7") "[1-9][0-9]?(,[0-9]{2})*,[0-9]{3}" else paste0(
    "[1-9][0-9]{0,2}([", signs[[1L]], "][0-9]{3})+"
  )
  paste0("^(", grouped, "(", point, "[0-9]+)?|", plain, ")$")
}

# What the words beside a number multiply it by; NA where a word is no unit.
unit_factor <- function(words) {
  words <- tolower(words[nzchar(words)])
  if (length(words) == 0L) return(1)
  tokens <- unlist(lapply(words, function(word) {
    if (word %in% c(currencies, per_cents, thousands, millions)) return(word)
    for (factor in c("tsd.", "mio.", "tsd", "mio", "mn", "k", "m")) {
      rest <- trimws(substring(word, nchar(factor) + 1L))
      if (startsWith(word, factor) && rest %in% currencies) return(c(factor, rest))
    }
    word
  }))
  unit <- tokens %in% c(currencies, per_cents)
  kilo <- tokens %in% thousands
  mega <- tokens %in% millions & (any(tokens %in% currencies) | startsWith(tokens, "mi"))
  if (any(!unit & !kilo & !mega) || sum(unit) > 1L || sum(kilo | mega) > 1L) return(NA_real_)
  if (any(kilo)) 1e3 else if (any(mega)) 1e6 else 1
}
