# A run folder -> a list of its tables, names and colours, for persona_report.R and its R Markdown
# report.
#
# Takes the folder's CSVs and JSONs; writes nothing. What the run hid (too few people) stays hidden:
# a row that says so has no figure here, whatever its cells hold. segment_survey.R hides nothing, so
# what it wrote on fewer than min_base people is hidden here.

run_tables <- c(
  tree = "segments/tree", points = "segments/points", table = "segments/table",
  means = "profiles/means", personas = "profiles/personas"
)
# Without these, a figure or a section is left out: what segment_survey.R writes has few of them.
further_tables <- c(
  choice = "segments/choice", votes = "segments/votes", stability = "segments/stability",
  slsw = "segments/slsw", flow = "segments/flow", members = "segments/members",
  neighbours = "segments/neighbours", features = "segments/features",
  components = "segments/components", eigenvalues = "segments/eigenvalues",
  scree = "scales/eigenvalues", scales = "scales/table", ledger = "survey/ledger",
  codebook = "survey/codebook", shares = "profiles/shares", tests = "profiles/tests",
  drivers = "profiles/drivers", importance = "profiles/importance", model = "profiles/model",
  rules = "profiles/rules", facts = "profiles/facts", typical = "profiles/typical",
  actions = "profiles/actions", jobs = "profiles/jobs", words = "profiles/words",
  quotes = "profiles/quotes"
)
# Text columns of tables whose types no manifest tells.
text_columns <- c(
  "action", "band", "block", "category", "effect", "feature", "file", "id", "is_not", "item", "job",
  "kind", "label", "letters", "name", "note", "part", "portrait", "question", "reason",
  "respondent", "role", "rule", "scale", "segment_name", "stage", "suggested", "table", "test",
  "text", "value_text", "variable", "what", "word"
)
# Columns that segment_survey.R does not write; the report has them empty then.
further_columns <- list(
  means = "letters", shares = c("kind", "letters"), drivers = c("size", "base"),
  tests = c("measure", "strength", "test", "statistic", "p", "p_adjusted", "base")
)
# Columns that say what a row is about; all others of a hidden row are figures.
about_columns <- c(
  "segment", "variable", "label", "kind", "role", "category", "job", "rank", "word", "hidden"
)

# ---- reading ----

read_run <- function(folder) {
  if (!dir.exists(folder)) fail("no folder ", folder, ": name a run folder of psychoseg.")
  needed <- c(paste0(run_tables, ".csv"), "segments/summary.json")
  missing <- needed[!file.exists(file.path(folder, needed))]
  if (length(missing) > 0L) {
    fail(folder, " is not a whole run folder: it lacks ", paste(missing, collapse = ", "), ".")
  }
  manifest <- read_json(file.path(folder, "manifest.json"))
  settings <- read_settings(folder)
  min_base <- first_of(settings$profiles$min_base, 10L)
  all <- c(run_tables, further_tables)
  run <- lapply(all, function(name) {
    file <- file.path(folder, paste0(name, ".csv"))
    if (!file.exists(file)) return(NULL)
    table <- read_run_table(file, manifest$tables[[name]])
    if (startsWith(name, "profiles/")) without_hidden(table, min_base) else table
  })
  names(run) <- names(all)
  for (name in names(further_columns)) {
    absent <- setdiff(further_columns[[name]], names(run[[name]]))
    if (!is.null(run[[name]])) run[[name]][absent] <- rep(NA, nrow(run[[name]]))
  }
  run$folder <- folder
  run$manifest <- manifest
  run$settings <- settings
  run$min_base <- min_base
  run$summary <- read_json(file.path(folder, "segments/summary.json"))
  run$method_of_scales <- read_json(file.path(folder, "scales/summary.json"))$method
  run$title <- plain(first_of(manifest$study, run$settings$study$title, basename(folder)))
  run$table <- run$table[order(run$table$segment), ]
  run$k <- nrow(run$table)
  run$unassigned <- first_of(run$summary$unassigned, 0L)
  run$points <- run$points[order(run$points$point), ]
  # Of very many points, micro-clusters are the leaves of the tree.
  if (is.null(run$points$leaf)) run$points$leaf <- run$points$point
  if (is.null(run$points$weight)) run$points$weight <- run$points$n
  run$segment <- run$points$segment
  run$leaf_segment <- heaviest(run$points)
  run$coordinates <- as.matrix(run$points[grep("^comp_[0-9]+$", names(run$points))])
  check_run(run)
  run$names <- run$personas$name[match(seq_len(run$k), run$personas$segment)]
  run$colours <- segment_colour(seq_len(run$k))
  run$n <- sum(run$table$n)
  run$weighted <- sum(run$table$weighted)
  run$individuals <- isTRUE(settings$report$individuals)
  if (run$individuals) run$counted_as <- seq_len(run$k) else run <- without_sizes_of_few(run)
  run
}

# A size under the base is not told; the smallest other segments are told together with it until
# they have the base, so that nobody can subtract it. `counted_as` is the segment in whose colour a
# segment is drawn, NA where in none.
without_sizes_of_few <- function(run) {
  n <- run$table$n
  few <- n < run$min_base
  run$counted_as <- ifelse(few, NA, seq_len(run$k))
  for (name in c("smallest_n", "smallest_share")) {
    if (!is.null(run$choice[[name]])) {
      run$choice[[name]][run$choice$smallest_n < run$min_base] <- NA
    }
  }
  if (!is.null(run$flow) && nrow(run$flow) > 0L) {
    people <- max(tapply(run$flow$n, run$flow$k, sum))
    unit <- run$min_base * max(tapply(run$flow$weight, run$flow$k, sum)) / people
    run$flow$weight <- pmax(round(run$flow$weight / unit), 1) * unit
    run$flow$n <- NA_real_
  }
  if (!any(few)) return(run)
  with <- which(few)
  # First those whose figures the run hides for the same reason.
  shown <- tapply(!is.na(run$means$mean), run$means$segment, any)[as.character(run$table$segment)]
  others <- setdiff(order(shown, n), with)
  while (sum(n[with]) < run$min_base && length(others) > 0L) {
    with <- c(with, others[[1L]])
    others <- others[-1L]
  }
  largest <- setdiff(with, which(few))
  together <- colSums(run$table[with, c("n", "weighted", "share")])
  for (name in names(together)) {
    for (table in c("table", "personas")) {
      if (is.null(run[[table]][[name]])) next
      run[[table]][[name]][run[[table]]$segment %in% run$table$segment[few]] <- NA
      run[[table]][[name]][run[[table]]$segment %in% run$table$segment[largest]] <- together[[name]]
    }
  }
  for (name in c("share_low", "share_high")) {
    if (!is.null(run$table[[name]])) run$table[[name]][with] <- NA
  }
  if (length(largest) > 0L) run$counted_as[few] <- largest[[1L]]
  run
}

read_run_table <- function(file, types) {
  header <- names(read_table(file, text_columns))
  texts <- text_columns
  # In the manifest types stand in the order of the columns; names may repeat.
  if (length(types) == length(header)) {
    texts <- header[types %in% c("text", "categories", "ordered")]
  }
  table <- read_table(file, texts)
  text <- names(table) %in% texts
  # An empty text is read as missing and is no text to print; control characters are none either.
  table[text] <- lapply(table[text], function(x) plain(ifelse(is.na(x), "", x)))
  # A column of no figures at all is one of numbers that are missing.
  table[!text] <- lapply(table[!text], function(x) if (all(is.na(x))) as.numeric(x) else x)
  table
}

read_json <- function(file) {
  if (!file.exists(file)) return(list())
  jsonlite::read_json(file, simplifyVector = TRUE)
}

# study.toml, where RcppTOML can read it; the report only quotes it.
read_settings <- function(folder) {
  file <- file.path(folder, "study.toml")
  if (!file.exists(file) || !requireNamespace("RcppTOML", quietly = TRUE)) return(list())
  tryCatch(unclass(RcppTOML::parseTOML(file, escape = FALSE)), error = function(e) list())
}

without_hidden <- function(table, min_base) {
  few <- if (is.numeric(table$base)) table$base < min_base else rep(FALSE, nrow(table))
  hidden <- which(few | if (is.null(table$hidden)) FALSE else as.logical(table$hidden))
  figures <- setdiff(names(table), about_columns)
  if (length(hidden) > 0L) table[hidden, figures] <- NA
  table
}

# ---- checking ----

check_run <- function(run) {
  wrong <- ncol(run$coordinates) == 0L || anyNA(run$segment) ||
    !setequal(run$segment, seq_len(run$k)) || !setequal(run$personas$segment, seq_len(run$k))
  if (wrong) {
    fail(
      run$folder, ": segments/points.csv and profiles/personas.csv do not hold the ", run$k,
      " segments of segments/table.csv. The files are of two runs; run the study again."
    )
  }
  if (nrow(run$tree) == 0L) return(invisible())
  leaves <- length(run$leaf_segment)
  if (nrow(run$tree) + 1L != leaves || anyNA(run$leaf_segment)) {
    fail(
      run$folder, ": segments/tree.csv has ", nrow(run$tree), " merges and segments/points.csv ",
      leaves, " leaves; a tree of n leaves has n - 1 merges. Run the study again."
    )
  }
  # Of an approximation, and of people who fit nowhere, the tree is not that of the segments.
  exact <- !nzchar(first_of(run$summary$approximate, "")) && run$unassigned == 0L
  if (exact && !cuts_into(run)) {
    fail(
      run$folder, ": segments/tree.csv cut into ", run$k,
      " does not give the segments of segments/points.csv. The files are of two runs; ",
      "run the study again."
    )
  }
}

cuts_into <- function(run) {
  cut <- stats::cutree(tree_to_hclust(run$tree), k = run$k)
  pairs <- unique(data.frame(cut = cut, segment = run$leaf_segment))
  nrow(pairs) == run$k
}

has_tree <- function(run) nrow(run$tree) > 0L && all(is.finite(run$tree$height))

# ---- trees ----

# An hclust object of a linkage matrix in scipy's convention (leaves 0..n-1, merge i makes node
# n + i). Heights are the order of the merges, since cutree refuses heights that fall, as rounding
# and some linkages make them.
tree_to_hclust <- function(tree) {
  n <- nrow(tree) + 1L
  node <- function(x) ifelse(x < n, -(x + 1L), x - n + 1L)
  hclust_of(cbind(node(tree$left), node(tree$right)), seq_len(n - 1L))
}

hclust_of <- function(merge, height) {
  storage.mode(merge) <- "integer"
  structure(
    class = "hclust",
    list(
      merge = merge, height = height, order = leaf_order(merge), labels = NULL, method = "tree",
      call = quote(hclust_of()), dist.method = "euclidean"
    )
  )
}

leaf_order <- function(merge) {
  below <- vector("list", nrow(merge))
  for (i in seq_len(nrow(merge))) {
    below[[i]] <- unlist(lapply(merge[i, ], function(j) if (j < 0L) -j else below[[j]]))
    # What is inside another branch now is not needed twice: memory stays linear.
    below[merge[i, merge[i, ] > 0L]] <- list(NULL)
  }
  below[[nrow(merge)]]
}

# The top of the tree as a tree of its own, turned as in report.html: lower segments first, then the
# heavier branch. Of more than `most` leaves the deepest branches are folded into one leaf each.
#
# Returns tree (hclust), and of each of its leaves height (where it is folded), weight, count
# (leaves folded into it) and segment (0 where it holds several).
folded_tree <- function(run, most) {
  merges <- as.matrix(run$tree[c("left", "right")]) + 1L
  m <- nrow(merges) + 1L
  shown <- min(max(most, run$k), m)
  first <- 2L * m - shown + 1L # merges that make this node and later ones are drawn
  height <- c(numeric(m), run$tree$height)
  weight <- c(weight_of_leaves(run), numeric(m - 1L))
  count <- c(rep(1L, m), integer(m - 1L))
  segment <- lowest <- c(run$leaf_segment, integer(m - 1L))
  for (i in seq_len(m - 1L)) {
    a <- merges[i, 1L]
    b <- merges[i, 2L]
    weight[[m + i]] <- weight[[a]] + weight[[b]]
    count[[m + i]] <- count[[a]] + count[[b]]
    segment[[m + i]] <- if (segment[[a]] == segment[[b]]) segment[[a]] else 0L
    lowest[[m + i]] <- min(lowest[[a]], lowest[[b]])
  }
  if (!run$individuals) {
    # From the top down only as far as every branch has the base.
    people <- c(as.vector(tapply(run$points$n, run$points$leaf, sum)), numeric(m - 1L))
    for (i in seq_len(m - 1L)) people[[m + i]] <- sum(people[merges[i, ]])
    first <- 2L * m
    while (first > m + 1L && 2L * m - first + 1L < shown &&
      all(people[merges[first - 1L - m, ]] >= run$min_base)) {
      first <- first - 1L
    }
    if (first == 2L * m) return(NULL)
  }
  drawn <- seq.int(first, 2L * m - 1L)
  children <- t(vapply(drawn, function(node) {
    pair <- merges[node - m, ]
    pair[order(lowest[pair], -weight[pair], pair)]
  }, numeric(2L)))
  leaves <- setdiff(as.vector(children), drawn)
  merge <- apply(children, c(1L, 2L), function(node) {
    if (node < first) -match(node, leaves) else node - first + 1L
  })
  if (!run$individuals) {
    below <- function(node) {
      if (node <= m) return(node)
      c(below(merges[node - m, 1L]), below(merges[node - m, 2L]))
    }
    segment[leaves] <- vapply(leaves, function(node) {
      at <- below(node)
      by <- tapply(weight[at], run$leaf_segment[at], sum)
      as.integer(names(by)[[which.max(by)]])
    }, 0L)
    # Rounded, so that nothing of few can be worked out: see psychoseg/segments/outline.py.
    height[drawn] <- round(100 * height[drawn] / max(height)) / 100 * max(height)
    height[leaves] <- min(height[drawn]) / 2
    weight[leaves] <- round(weight[leaves] / run$min_base) * run$min_base
    count[leaves] <- 2L
  }
  list(
    tree = hclust_of(merge, height[drawn]), height = height[leaves], weight = weight[leaves],
    count = count[leaves], segment = segment[leaves]
  )
}

# Half-way between the last merge that is kept and the first that is undone.
cut_height <- function(run) {
  at <- nrow(run$tree) - run$k + 1L
  below <- if (at > 0L) run$tree$height[[at]] else 0
  (below + run$tree$height[[at + 1L]]) / 2
}

weight_of_leaves <- function(run) {
  as.vector(tapply(run$points$weight, run$points$leaf, sum))
}

# The segment of each leaf: of an approximation, that of its heaviest point.
heaviest <- function(points) {
  points <- points[order(points$leaf, -points$weight), ]
  points$segment[!duplicated(points$leaf)]
}

# ---- what figures and report share ----

# Okabe and Ito (2008) in an order that keeps neighbours apart, then Tol's muted colours: the same
# constants as psychoseg/plots/canvas.py has.
segment_colours <- c(
  "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999", "#332288",
  "#882255", "#117733", "#DDCC77", "#44AA99", "#AA4499", "#661100"
)
low_colour <- "#C4601D"
mid_colour <- "#F6F6F4"
high_colour <- "#0B5FA5"
ink_colour <- "#1B2430"
muted_colour <- "#5B6775"
rule_colour <- "#D9DEE4"
branch_colour <- "#8A94A0"

segment_colour <- function(segment) {
  n <- length(segment_colours)
  ifelse(segment > 0L, segment_colours[(segment - 1L) %% n + 1L], branch_colour)
}

# White or dark, whichever reads better on a colour (contrast ratio of WCAG 2.1; 3 for large text).
ink <- function(colours) {
  channel <- grDevices::col2rgb(colours) / 255
  linear <- ifelse(channel <= 0.04045, channel / 12.92, ((channel + 0.055) / 1.055)^2.4)
  luminance <- drop(c(0.2126, 0.7152, 0.0722) %*% matrix(linear, nrow = 3L))
  ifelse(1.05 / (luminance + 0.05) >= 3, "#FFFFFF", ink_colour)
}

# The diverging colour of a value from -1 to 1.
shade <- function(value) {
  ramp <- grDevices::colorRamp(c(low_colour, mid_colour, high_colour), space = "rgb")
  rgb <- ramp((pmin(pmax(value, -1), 1) + 1) / 2)
  grDevices::rgb(round(rgb), maxColorValue = 255)
}

# Two decimals, none from 1,000 on, and a real minus sign; a dash where there is no figure.
two_decimals <- function(x) {
  text <- ifelse(
    abs(x) < 1000, sprintf("%.2f", x), formatC(x, format = "f", digits = 0L, big.mark = ",")
  )
  text <- ifelse(grepl("^-[0.]*$", text), sub("-", "", text), text)
  ifelse(is.finite(x), sub("-", "\u2212", text), "\u2013")
}

big <- function(x) {
  ifelse(is.na(x), "\u2013", formatC(x, format = "f", digits = 0L, big.mark = ","))
}

percent <- function(share) ifelse(is.na(share), "\u2013", sprintf("%.0f%%", 100 * share))

# What pictures of the segments side by side show: the scales; without scales the active columns,
# categories and options as shares; without active ones all means.
dividing_rows <- function(run) {
  keep <- c("segment", "variable", "label", "kind", "mean", "total", "z")
  scales <- run$means[run$means$kind == "scale", ]
  own <- run$means[run$means$role %in% "active", ]
  shares <- run$shares[run$shares$role %in% "active", ]
  if (nrow(scales) > 0L || (nrow(own) == 0L && NROW(shares) == 0L)) {
    rows <- if (nrow(scales) > 0L) scales else run$means
    return(cbind(rows[keep], is_share = rep(FALSE, nrow(rows))))
  }
  if (NROW(shares) > 0L) {
    option <- shares$kind == "choice"
    spread <- sqrt(shares$total * (1 - shares$total))
    shares$z <- ifelse(spread > 0, (shares$share - shares$total) / spread, NA)
    shares$mean <- shares$share
    shares$label <- ifelse(
      option, shares$category, paste0(shares$label, ": ", shares$category)
    )
    shares$variable <- paste0(shares$variable, "=", shares$category)
  }
  rbind(
    cbind(own[keep], is_share = rep(FALSE, nrow(own))),
    if (NROW(shares) > 0L) cbind(shares[keep], is_share = TRUE)
  )
}

# How far each segment lies from everybody on what divides them, in standard deviations: a row a
# scale, a column a segment, NA where hidden. `most` keeps those on which the segments lie farthest
# apart.
scales_apart <- function(run, most = Inf) {
  means <- dividing_rows(run)
  variables <- unique(means$variable)
  at <- cbind(match(means$variable, variables), means$segment)
  z <- matrix(NA_real_, length(variables), run$k)
  z[at] <- means$z
  mean <- z
  mean[at] <- means$mean
  first <- match(variables, means$variable)
  apart <- list(
    labels = means$label[first], total = means$total[first], z = z, mean = mean,
    is_share = means$is_share[first]
  )
  if (length(variables) > most) {
    filled <- ifelse(is.na(z), 0, z)
    ranges <- apply(filled, 1L, max) - apply(filled, 1L, min)
    kept <- sort(order(-ranges)[seq_len(most)])
    apart <- lapply(apart, function(x) if (is.matrix(x)) x[kept, , drop = FALSE] else x[kept])
  }
  apart
}

# Text as one line without control characters.
plain <- function(text) gsub("[[:cntrl:]]+", " ", enc2utf8(as.character(text)))

# The first of its arguments that is a value.
first_of <- function(...) {
  for (value in list(...)) if (length(value) == 1L && !is.na(value)) return(value)
  NULL
}
