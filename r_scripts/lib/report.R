# The parts of persona_report.Rmd: what read_run() returns -> HTML.
#
# Every text of the run goes through esc(), so that it is shown and never run, formatted or linked:
# raw() hands the result to pandoc as HTML that it does not read. Computes nothing but layout.

# Segments side by side in one table.
segments_a_table <- 5L
max_settings <- 100000L # characters of study.toml

verdict_words <- c(
  natural = "Natural groups of people", reproducible = "Reproducible segments",
  constructed = "No stable segments"
)
verdict_meanings <- c(
  natural = "There are gaps between groups of people that one cloud of people does not have.",
  reproducible = paste(
    "No gaps, but the same division comes back when the survey is drawn again: the segments map a",
    "continuum and are not separate types of people."
  ),
  constructed = paste(
    "Neither gaps nor a division that comes back. Use the segments as a way to look at the data,",
    "and do not build a strategy on who belongs to which."
  )
)

# ---- parts ----

head_part <- function(run) {
  about <- run$settings$study
  c(
    tag("h1", esc(run$title), dir = "auto"),
    unlist(lapply(c("description", "population", "source"), function(key) {
      text <- first_of(about[[key]], "")
      if (nzchar(text)) paragraph(text)
    }))
  )
}

verdict_part <- function(run) {
  summary <- run$summary
  verdict <- first_of(summary$verdict, "")
  runner_up <- first_of(summary$runner_up, 0L)
  c(
    paragraph(first_of(verdict_words[verdict], verdict), "verdict"),
    paragraph(first_of(verdict_meanings[verdict], "")),
    paragraph(first_of(summary$reason, "")),
    paragraph(paste0(run$k, " segments. ", first_of(summary$k_reason, summary$k_rule, ""))),
    if (runner_up > 0L) {
      paragraph(paste0("Runner-up: ", runner_up, ". ", first_of(summary$runner_up_reason, "")))
    }
  )
}

sample_part <- function(run) {
  people <- run$manifest$respondents
  counts <- c(
    Read = people$read, `Left out` = people$excluded, `In a segment` = run$n,
    `In a segment, weighted` = round(run$weighted)
  )
  rows <- cbind(esc(names(counts)), big(counts))
  weights <- first_of(people$weights, "")
  out <- html_table(c("", "Respondents"), rows, "Respondents")
  if (!is.null(run$ledger) && nrow(run$ledger) > 0L) {
    lines <- as.data.frame(table(stage = run$ledger$stage, effect = run$ledger$effect))
    lines <- lines[lines$Freq > 0L, ]
    out <- c(out, html_table(
      c("Where", "What happened", "Cases"),
      cbind(esc(lines$stage), esc(lines$effect), big(lines$Freq)), "Set aside, by stage",
      text = 1:2
    ))
  }
  if (nzchar(weights)) out <- c(out, paragraph(paste0("Weights: ", weights, "."), "note"))
  c(out, paragraph(hidden_note(run), "note"))
}

segments_part <- function(run) {
  table <- run$table
  cell <- function(name, show) {
    if (is.null(table[[name]])) return(rep("\u2013", nrow(table)))
    show(table[[name]])
  }
  interval <- paste0(cell("share_low", percent), " to ", cell("share_high", percent))
  rows <- cbind(
    sprintf(
      '<a href="#segment-%d">%s <span dir="auto">%s</span></a>', table$segment,
      badge_of(run, table$segment), esc(run$names[table$segment])
    ),
    paste0(percent(table$share), "<small>", interval, "</small>"), big(table$n),
    big(round(table$weighted)), cell("jaccard", two_decimals), cell("band", esc),
    cell("silhouette", two_decimals)
  )
  html_table(
    c("Segment", "Share (95%)", "n", "Weighted", "Jaccard", "How stable", "Silhouette"), rows,
    "The segments, largest first", text = c(1L, 6L), ids = sprintf("row-%d", table$segment)
  )
}

personas_part <- function(run) {
  unlist(lapply(seq_len(run$k), function(s) {
    persona <- run$personas[run$personas$segment == s, ]
    given <- !is.null(persona$suggested) && persona$suggested != persona$name &&
      nzchar(persona$suggested)
    c(
      sprintf(
        '<article id="segment-%d" style="border-left-color:%s" aria-labelledby="name-%d">',
        s, run$colours[[s]], s
      ),
      sprintf(
        '<h3 id="name-%d">%s <span dir="auto">%s</span></h3>', s, badge_of(run, s),
        esc(persona$name)
      ),
      paragraph(paste0(
        percent(persona$share), " of the respondents, n = ", big(persona$n), " (weighted ",
        big(round(persona$weighted)), ")"
      ), "note"),
      if (given) paragraph(paste("Suggested by the data:", persona$suggested), "note"),
      if (s == run$unassigned) {
        paragraph(paste(
          "These people fit no segment: the method found too few others like them. The numbers",
          "below are their average and describe nobody in particular."
        ))
      },
      sentences(run, persona, s, "portrait"), sentences(run, persona, s, "is_not"),
      actions_of(run, s), drivers_of(run, s), typical_of(run, s), sure_of(run, s), jobs_of(run, s),
      words_of(run, s), "</article>"
    )
  }))
}

drivers_part <- function(run) {
  out <- NULL
  if (some(run$model)) {
    model <- run$model
    interval <- ifelse(is.na(model$low), "", paste(percent(model$low), "to", percent(model$high)))
    out <- html_table(
      c("Of the people whose answers the model had not seen", "Right", "95%", "Base"),
      cbind(esc(model$what), percent(model$value), interval, big(model$base)),
      "How well the variables tell the segments apart"
    )
  }
  if (some(run$rules)) {
    rules <- run$rules
    out <- c(out, html_table(
      c("Segment", "Rule", "Finds of the segment", "Are of the segment", "Base"),
      cbind(
        badge_of(run, rules$segment), esc(rules$rule), percent(rules$share),
        percent(rules$precision), big(rules$base)
      ), "Rules of a shallow tree", text = 1:2
    ))
  }
  if (is.null(out)) paragraph("The run has no model of what tells the segments apart.") else out
}

tables_part <- function(run) {
  chunks <- split(seq_len(run$k), (seq_len(run$k) - 1L) %/% segments_a_table)
  c(
    paragraph(paste(
      "Letters name the segments that a figure is significantly higher than: small at 5%, capital",
      "at 0.1%, corrected within one variable unless letters_scope of [profiles] says otherwise.",
      "Under each figure its unweighted base."
    ), "note"),
    unlist(lapply(chunks, function(segments) c(
      profile_table(run, run$means, "means", segments, "mean", two_decimals, "Means"),
      profile_table(run, run$shares, "shares", segments, "share", percent, "Shares")
    ))),
    tests_table(run), paragraph(hidden_note(run), "note")
  )
}

method_part <- function(run) {
  summary <- run$summary
  manifest <- run$manifest
  said <- Filter(nzchar, c(
    first_of(summary$method, ""), first_of(run$method_of_scales, ""), first_of(summary$k_rule, ""),
    first_of(summary$components_rule, ""), first_of(summary$approximate, "")
  ))
  warnings <- manifest$warnings
  if (is.data.frame(warnings)) warnings <- paste0(warnings$stage, ": ", warnings$message)
  versions <- unlist(manifest$versions)
  inputs <- manifest$inputs
  settings <- file.path(run$folder, "study.toml")
  c(
    paste0("<ul>", paste(tag("li", esc(said)), collapse = ""), "</ul>"),
    "<h3>Warnings</h3>",
    if (length(warnings) == 0L) {
      paragraph("None.")
    } else {
      paste0("<ul>", paste(tag("li", esc(plain(unlist(warnings)))), collapse = ""), "</ul>")
    },
    if (is.data.frame(inputs)) {
      html_table(
        c("Input file", "SHA-256"), cbind(esc(inputs$file), esc(inputs$sha256)), "Input files",
        text = 1:2
      )
    },
    html_table(
      c("Program", "Version"), cbind(
        esc(c(names(versions), "R, for this report")), esc(c(versions, as.character(getRversion())))
      ), paste0("Versions; seed ", first_of(manifest$seed, "unknown")), text = 2L
    ),
    if (file.exists(settings)) {
      text <- paste(readLines(settings, warn = FALSE, encoding = "UTF-8"), collapse = "\n")
      c(
        "<details><summary>Settings</summary>",
        tag("pre", esc(substr(text, 1L, max_settings))), "</details>"
      )
    }
  )
}

# ---- a persona ----

# Sentences linked to the cells they come from, unless the study file wrote its own text.
sentences <- function(run, persona, s, part) {
  text <- persona[[part]]
  if (is.null(text) || is.na(text) || !nzchar(text)) return(NULL)
  shown <- esc(text)
  facts <- run$facts[run$facts$segment == s & run$facts$part == part, ]
  if (some(facts) && identical(paste(facts$text, collapse = " "), text)) {
    facts <- facts[order(facts$rank), ]
    at <- anchor(facts$table, s, run[["means"]], run[["shares"]], facts$variable, facts$category)
    shown <- paste(
      sprintf('<a class="fact" href="#%s">%s</a>', at, esc(facts$text)), collapse = " "
    )
  }
  lead <- if (part == "is_not") "<strong>What it is not.</strong> " else ""
  sprintf('<p dir="auto">%s%s</p>', lead, shown)
}

actions_of <- function(run, s) {
  actions <- run$actions[run$actions$segment == s, ]
  if (!some(actions)) return(NULL)
  actions <- actions[order(actions$rank), ]
  fits <- ifelse(as.logical(actions$fits), "suits them", "does not suit them")
  c("<h4>What to do</h4>", paste0("<ol>", paste(sprintf(
    '<li dir="auto"><strong>%s</strong> <small>%s</small><br>%s</li>', esc(actions$action), fits,
    esc(actions$reason)
  ), collapse = ""), "</ol>"))
}

drivers_of <- function(run, s) {
  drivers <- run$drivers[run$drivers$segment == s, ]
  if (!some(drivers)) return(NULL)
  drivers <- drivers[order(drivers$rank), ]
  html_table(
    c("What sets it apart", "Effect", "Size", "Base"),
    cbind(
      esc(drivers$text), two_decimals(drivers$effect), esc(drivers$size), big(drivers$base)
    ), "Drivers, strongest first", text = c(1L, 3L)
  )
}

typical_of <- function(run, s) {
  typical <- run$typical[run$typical$segment == s, ]
  # Without a base they are one person's own answers, as older runs wrote them.
  if (!some(typical) || is.null(typical$base)) return(NULL)
  html_table(
    c("", "Answer", "Base"), cbind(esc(typical$label), esc(typical$value), big(typical$base)),
    "Typical answers, of those nearest the centre of the segment", text = 2L
  )
}

sure_of <- function(run, s) {
  row <- run$table[run$table$segment == s, ]
  if (is.null(row$jaccard) || is.na(row$jaccard)) return(NULL)
  said <- paste0(
    "How sure: ", if (!is.null(row$band)) row$band, " (mean Jaccard ", two_decimals(row$jaccard),
    if (!is.null(row$certainty)) {
      paste0("; its people were in it in ", percent(row$certainty), " of the resamples")
    }, ")."
  )
  paragraph(said)
}

jobs_of <- function(run, s) {
  jobs <- run$jobs[run$jobs$segment == s, ]
  if (!some(jobs)) return(NULL)
  html_table(
    c("Job or outcome", "Important to", "Satisfied", "Opportunity", "Base"),
    cbind(
      esc(jobs$label), percent(jobs$importance), percent(jobs$satisfaction),
      two_decimals(jobs$opportunity), big(jobs$base)
    ), "Jobs to be done"
  )
}

words_of <- function(run, s) {
  words <- run$words[run$words$segment == s & !is.na(run$words$z), ]
  quotes <- run$quotes[run$quotes$segment == s, ]
  c(
    if (some(words)) {
      unlist(lapply(split(words, words$label), function(part) paragraph(paste0(
        "In their words (", part$label[[1L]], "): ",
        paste(part$word[order(part$rank)], collapse = ", ")
      ))))
    },
    if (some(quotes)) sprintf('<blockquote dir="auto">%s</blockquote>', esc(quotes$text))
  )
}

# ---- profile tables ----

# A row a variable (of shares a row a category, the variable as a heading over them), a column a
# segment: figure, letters, base.
profile_table <- function(run, table, name, segments, figure, show, caption) {
  if (!some(table)) return(NULL)
  category <- if (is.null(table$category)) rep("", nrow(table)) else table$category
  key <- paste(table$variable, category, sep = "\r")
  groups <- group_of(run, table)
  keys <- unique(key)
  first <- match(keys, key)
  cells <- vapply(segments, function(s) {
    at <- match(paste(s, keys, sep = "\r"), paste(table$segment, key, sep = "\r"))
    value <- table[[figure]][at]
    letters <- if (is.null(table$letters)) "" else table$letters[at]
    none <- is.na(value) | is.na(letters) | letters == ""
    sprintf(
      '<span id="%s-%d-%d">%s</span>%s<small>%s</small>', name, first, s, show(value),
      ifelse(none, "", paste0("<sup>", esc(letters), "</sup>")),
      ifelse(is.na(value), "hidden", big(table$base[at]))
    )
  }, character(length(keys)))
  cells <- matrix(cells, nrow = length(keys))
  heading <- if (name == "means") table$label[first] else ifelse(
    table$kind[first] %in% "choice", table$label[first], category[first]
  )
  rows <- cbind(esc(heading), show(table$total[first]), cells)
  titles <- if (name == "means") rep(NA_character_, length(keys)) else groups[first]
  heads <- c("", "All", sprintf(
    '%s <span dir="auto">%s</span><small>%s</small>', badge_of(run, segments),
    esc(run$names[segments]), column_letters(segments)
  ))
  html_table(
    heads, rows, paste0(caption, more(run, segments)), titles = titles, heads_are_html = TRUE
  )
}

more <- function(run, segments) {
  if (run$k <= segments_a_table) return("")
  sprintf(", segments %d to %d", min(segments), max(segments))
}

# The question over the categories; of a multiple-response set all options stand under the set.
group_of <- function(run, table) {
  groups <- table$label
  set <- table$kind %in% "choice"
  at <- match(table$variable, run$codebook$name)
  question <- run$codebook$question[at]
  name <- run$codebook$block[at]
  of_set <- ifelse(is.na(question) | question == "", name, question)
  groups[set] <- ifelse(is.na(of_set[set]), "Multiple response", of_set[set])
  groups
}

tests_table <- function(run) {
  tests <- run$tests
  if (!some(tests)) return(NULL)
  rows <- cbind(
    esc(tests$label), esc(tests$measure), two_decimals(tests$strength), esc(tests$test),
    two_decimals(tests$statistic), p_value(tests$p), p_value(tests$p_adjusted), big(tests$base)
  )
  html_table(
    c("", "Measure", "Strength", "Test", "Statistic", "p", "p, adjusted", "Base"), rows,
    "How strongly the segments differ", text = c(2L, 4L)
  )
}

p_value <- function(p) {
  ifelse(is.na(p), "\u2013", ifelse(p < 0.001, "&lt; .001", sprintf("%.3f", p)))
}

# Columns A to Z, then AA and so on.
column_letters <- function(segments) {
  ifelse(
    segments <= 26L, LETTERS[(segments - 1L) %% 26L + 1L],
    paste0(LETTERS[(segments - 1L) %/% 26L], LETTERS[(segments - 1L) %% 26L + 1L])
  )
}

# Where a fact's figure stands: the id that profile_table() and segments_part() give it.
anchor <- function(table, s, means, shares, variable, category) {
  first <- ifelse(
    table == "means", match(variable, means$variable),
    match(paste(variable, category), paste(shares$variable, shares$category))
  )
  found <- table %in% c("means", "shares") & !is.na(first)
  ifelse(found, sprintf("%s-%d-%d", table, first, s), sprintf("row-%d", s))
}

hidden_note <- function(run) paste0(
  "Figures on fewer than ", run$min_base,
  " respondents are hidden, and so are those that would give one of these away."
)

# ---- HTML ----

# Text as HTML that shows it: nothing in it is markup, a quote's end, or the end of a code fence.
esc <- function(text) {
  text <- ifelse(is.na(text), "\u2013", as.character(text))
  marks <- c(
    `&` = "&amp;", `<` = "&lt;", `>` = "&gt;", `"` = "&quot;", `'` = "&#39;", "`" = "&#96;"
  )
  for (mark in names(marks)) text <- gsub(mark, marks[[mark]], text, fixed = TRUE)
  text
}

# Hands HTML to pandoc as a block that it passes on unread.
raw <- function(html) {
  cat("\n\n```{=html}\n", paste(html, collapse = "\n"), "\n```\n\n", sep = "")
}

tag <- function(name, html, dir = NULL) {
  sprintf("<%s%s>%s</%s>", name, if (is.null(dir)) "" else sprintf(' dir="%s"', dir), html, name)
}

paragraph <- function(text, class = NULL) {
  if (!nzchar(text)) return(NULL)
  class <- if (is.null(class)) "" else sprintf(' class="%s"', class)
  sprintf('<p%s dir="auto">%s</p>', class, esc(text))
}

badge_of <- function(run, segment) {
  colours <- run$colours[segment]
  sprintf(
    '<span class="badge" style="background:%s;color:%s">%d</span>', colours, ink(colours), segment
  )
}

# `rows` is a matrix of cells that are HTML already, the first column headings; `text` says which
# columns hold words, `titles` what stands over the first row of each group.
html_table <- function(head, rows, caption, text = integer(), ids = NULL, titles = NULL,
                       heads_are_html = FALSE) {
  rows <- as.matrix(rows)
  class <- function(j) ifelse(j %in% c(1L, text), ' class="text"', "")
  columns <- seq_along(head)
  if (!heads_are_html) head <- esc(head)
  cells <- vapply(columns[-1L], function(j) {
    sprintf('<td%s dir="auto">%s</td>', class(j), rows[, j])
  }, character(nrow(rows)))
  cells <- apply(matrix(cells, nrow = nrow(rows)), 1L, paste, collapse = "")
  lines <- sprintf(
    '<tr%s><th scope="row" dir="auto">%s</th>%s</tr>',
    if (is.null(ids)) "" else sprintf(' id="%s"', ids), rows[, 1L], cells
  )
  if (!is.null(titles)) {
    new <- !is.na(titles) & !(titles == c(NA, titles[-length(titles)])) %in% TRUE
    lines[new] <- sprintf(
      '<tr class="group"><th scope="rowgroup" colspan="%d" dir="auto">%s</th></tr>%s',
      length(head), esc(titles[new]), lines[new]
    )
  }
  c(
    sprintf('<div class="scroll" role="region" tabindex="0" aria-label="%s"><table>', esc(caption)),
    tag("caption", esc(caption)),
    paste0(
      "<thead><tr>", paste(sprintf(
        '<th scope="col"%s dir="auto">%s</th>', class(columns), head
      ), collapse = ""), "</tr></thead><tbody>"
    ),
    lines, "</tbody></table></div>"
  )
}

some <- function(table) !is.null(table) && isTRUE(nrow(table) > 0L)
