# Draws the pictures of a finished run: coloured dendrogram, silhouettes, cluster map, profile heat
# map.
#
# Takes:  a run folder of psychoseg (or of segment_survey.R): segments/{tree,points,table}.csv,
#         segments/summary.json, profiles/{means,personas}.csv, respondents.csv; the title from
#         study.toml.
# Writes: OUT_FOLDER/persona_report.pdf, one page a picture, and dendrogram.png, silhouette.png,
#         map.png, heatmap.png.

usage <- "Usage: Rscript persona_report.R RUN_FOLDER [OUT_FOLDER]

Draws the segments of a run folder: dendrogram, silhouettes, map and profile heat map.

  RUN_FOLDER  a folder written by `psychoseg run` or by segment_survey.R
  OUT_FOLDER  where the PDF and the four PNGs go (RUN_FOLDER/r_report)

Exit status: 0 done, 2 the input is wrong (one sentence says how), 1 a fault of the script.
"

script_folder <- function() {
  sourced <- if (sys.nframe() > 1L) sys.frame(1L)$ofile # read by source(), as the tests do
  file <- sourced
  if (is.null(file)) file <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
  dirname(gsub("~+~", " ", file, fixed = TRUE)) # Rscript writes a space as ~+~
}
here <- script_folder()
source(file.path(here, "lib", "common.R"), encoding = "UTF-8")

run_files <- c(
  tree = "segments/tree.csv", points = "segments/points.csv", table = "segments/table.csv",
  summary = "segments/summary.json", means = "profiles/means.csv",
  personas = "profiles/personas.csv",
  respondents = "respondents.csv"
)
# Okabe and Ito (2008), then two of Tol's (2021): the same colour a segment as in report.html.
segment_palette <- c(
  "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999", "#332288",
  "#882255"
)
page_inches <- c(width = 11, height = 7.5)
png_dpi <- 150
# More leaves than this are thinner than a printed line: the tree is then drawn from this many
# branches up.
max_leaves <- 400L
# cluster::silhouette needs all pairwise distances: 5,000 respondents take 100 MB.
max_silhouettes <- 5000L

main <- function(args) {
  need_packages(c("cluster", "dendextend", "factoextra", "ggplot2", "jsonlite"))
  run <- read_run(args[[1L]])
  out <- if (length(args) == 2L) args[[2L]] else file.path(args[[1L]], "r_report")
  if (file.exists(out) && !dir.exists(out)) {
    fail("cannot write into ", out, ": it is a file, name a folder.")
  }
  pages <- list(
    dendrogram = draw_dendrogram(run), silhouette = draw_silhouette(run), map = draw_map(run),
    heatmap = draw_heatmap(run)
  )
  write_pages(pages, out)
  message("wrote ", file.path(out, "persona_report.pdf"), " and ", length(pages), " PNGs")
}

# ---- reading ----

read_run <- function(folder) {
  if (!dir.exists(folder)) fail("no folder ", folder, ": name a run folder of psychoseg.")
  missing <- run_files[!file.exists(file.path(folder, run_files))]
  if (length(missing) > 0L) {
    fail(folder, " is not a whole run folder: it lacks ", paste(missing, collapse = ", "), ".")
  }
  tables <- lapply(
    run_files[names(run_files) != "summary"],
    function(name) read_table(
      file.path(folder, name), text_columns = c("id", "name", "label", "segment_name")
    )
  )
  run <- c(tables, list(folder = folder, title = read_title(folder)))
  run$summary <- jsonlite::read_json(
    file.path(folder, run_files[["summary"]]), simplifyVector = TRUE
  )
  run$k <- nrow(run$table)
  run$hclust <- tree_to_hclust(run$tree)
  run$points <- run$points[order(run$points$point), ]
  run$segment <- run$points$segment
  # Of very many points, micro-clusters are the leaves of the tree.
  if (is.null(run$points$leaf)) run$points$leaf <- run$points$point
  run$leaf_segment <- run$segment[match(seq_len(nrow(run$tree) + 1L) - 1L, run$points$leaf)]
  run$coordinates <- as.matrix(run$points[grep("^comp_[0-9]+$", names(run$points))])
  check_run(run)
  run$names <- run$personas$name[match(seq_len(run$k), run$personas$segment)]
  run$colours <- rep_len(segment_palette, run$k)
  run
}

read_title <- function(folder) {
  file <- file.path(folder, "study.toml")
  title <- NULL
  if (file.exists(file) && requireNamespace("RcppTOML", quietly = TRUE)) {
    title <- RcppTOML::parseTOML(file, escape = FALSE)[["study"]][["title"]]
  }
  if (is.null(title)) basename(normalizePath(folder)) else title
}

check_run <- function(run) {
  leaves <- length(unique(run$points$leaf))
  if (nrow(run$tree) + 1L != leaves || anyNA(run$leaf_segment) || ncol(run$coordinates) == 0L) {
    fail(
      run$folder, ": segments/tree.csv has ", nrow(run$tree), " merges and segments/points.csv ",
      leaves, " leaves with ", ncol(run$coordinates),
      " components; a tree of n leaves has n - 1 merges. Run the study again."
    )
  }
  cut <- stats::cutree(run$hclust, k = run$k)
  pairs <- unique(data.frame(cut = cut[run$points$leaf + 1L], segment = run$segment))
  if (nrow(pairs) != run$k || anyNA(run$segment) || !setequal(run$segment, seq_len(run$k))) {
    fail(
      run$folder, ": segments/tree.csv cut into ", run$k,
      " does not give the segments of segments/points.csv. The files are of two runs; ",
      "run the study again."
    )
  }
}

# An hclust object of a linkage matrix in scipy's convention (leaves 0..n-1, merge i makes node n +
# i).
tree_to_hclust <- function(tree) {
  n <- nrow(tree) + 1L
  node <- function(x) ifelse(x < n, -(x + 1L), x - n + 1L)
  merge <- cbind(node(tree$left), node(tree$right))
  # R puts a leaf before a branch, and of two branches the older first.
  merge <- t(
    apply(
      merge, 1L, function(pair) if (all(pair < 0)) sort(pair, decreasing = TRUE) else sort(pair)
    )
  )
  storage.mode(merge) <- "integer"
  structure(
    class = "hclust",
    list(
      # Rounding can put a merge of equal height 1e-16 below the one before it, which cutree
      # refuses.
      merge = merge, height = cummax(tree$height), order = leaf_order(merge),
      labels = NULL, method = "ward.D2", call = quote(tree_to_hclust()), dist.method = "euclidean"
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

# The top of a tree as a tree of its own: one leaf for each of the `g` branches that remain when it
# is cut into g.
crown <- function(tree, g) {
  n <- length(tree$order)
  group <- stats::cutree(tree, k = g)
  kept <- seq.int(n - g + 1L, n - 1L)
  first_leaf <- integer(n - 1L)
  for (i in seq_len(n - 1L)) {
    left <- tree$merge[i, 1L]
    first_leaf[[i]] <- if (left < 0L) -left else first_leaf[[left]]
  }
  merge <- apply(tree$merge[kept, , drop = FALSE], c(1L, 2L), function(j) {
    if (j < 0L) return(-group[[-j]])
    if (j >= kept[[1L]]) return(j - kept[[1L]] + 1L)
    -group[[first_leaf[[j]]]]
  })
  storage.mode(merge) <- "integer"
  small <- tree
  small$merge <- merge
  small$height <- tree$height[kept]
  small$order <- leaf_order(merge)
  list(tree = small, group = group)
}

# ---- drawing ----

draw_dendrogram <- function(run) {
  n <- length(run$hclust$order)
  floor <- 0
  tree <- run$hclust
  segment <- run$leaf_segment
  what <- if (n == nrow(run$points)) "patterns of answers" else "groups of alike respondents"
  note <- sprintf("Each leaf is one of %s %s.", big(n), what)
  if (n > max_leaves) {
    floor <- tree$height[[n - max_leaves]]
    top <- crown(tree, max_leaves)
    tree <- top$tree
    segment <- segment[match(seq_len(max_leaves), top$group)]
    note <- sprintf(
      "Drawn from height %.2f up, where %s branches hold all %s %s.",
      floor, big(max_leaves), big(n), what
    )
  }
  along <- segment[tree$order]
  blocks <- rle(along)$values # every segment is one block of neighbouring leaves
  # Beyond ten segments the palette repeats: a colour of its own carries each segment through.
  fake <- sprintf("#%06X", seq_len(run$k))
  dend <- dendextend::color_branches(
    stats::as.dendrogram(tree),
    clusters = match(along, blocks), col = fake[blocks]
  )
  lines <- dendextend::as.ggdend(dend)$segments
  lines$segment <- factor(match(lines$col, fake), levels = seq_len(run$k))
  lines[c("y", "yend")] <- lapply(lines[c("y", "yend")], pmax, floor)
  heights <- rev(run$hclust$height)
  cut <- mean(heights[c(run$k - 1L, min(run$k, length(heights)))])
  marks <- data.frame(x = tapply(seq_along(along), along, mean), segment = factor(seq_len(run$k)))
  span <- max(heights) - floor
  ggplot2::ggplot(lines) +
    ggplot2::geom_segment(
      ggplot2::aes(
        x = .data$x, y = .data$y, xend = .data$xend, yend = .data$yend, colour = .data$segment
      ),
      linewidth = 0.35, lineend = "square"
    ) +
    ggplot2::geom_hline(yintercept = cut, linetype = "dashed", colour = "grey40", linewidth = 0.4) +
    ggplot2::geom_label(
      data = marks, ggplot2::aes(
        x = .data$x, y = floor - 0.045 * span, label = .data$segment, fill = .data$segment
      ),
      colour = ink(run$colours), size = 3.6, fontface = "bold", label.size = 0, show.legend = FALSE
    ) +
    segment_scale(run, "colour", na.value = "grey35", breaks = as.character(seq_len(run$k))) +
    segment_scale(run, "fill") +
    ggplot2::guides(colour = ggplot2::guide_legend(override.aes = list(linewidth = 2))) +
    ggplot2::scale_x_continuous(breaks = NULL, expand = ggplot2::expansion(add = 2)) +
    ggplot2::labs(
      title = page_title(run, "Tree of respondents"),
      subtitle = page_subtitle(
        run, run$k, " segments, cut at the dashed line. ", run$summary$reason
      ),
      x = NULL, y = "Height at which branches join",
      caption = paste0(note, " Method: ", run$summary$method, ".")
    ) +
    page_theme(run) +
    ggplot2::theme(panel.grid.major.x = ggplot2::element_blank())
}

draw_silhouette <- function(run) {
  row <- rep(seq_along(run$segment), times = run$points$n)
  all <- length(row)
  drawn <- "every respondent counts once, weights are not used"
  if (all > max_silhouettes) {
    row <- row[unique(round(seq(1, all, length.out = max_silhouettes)))]
    drawn <- sprintf("every %.0fth of %s respondents, unweighted", all / max_silhouettes, big(all))
  }
  sil <- cluster::silhouette(run$segment[row], stats::dist(run$coordinates[row, , drop = FALSE]))
  plot <- factoextra::fviz_silhouette(sil, label = FALSE, print.summary = FALSE)
  plot$scales$scales <- list() # factoextra's colours; adding ours over them prints a message
  plot +
    segment_scale(run, "colour") +
    segment_scale(run, "fill") +
    ggplot2::ylim(min(-0.25, sil[, "sil_width"]), 1) +
    ggplot2::labs(
      title = page_title(run, "How well each respondent fits"),
      subtitle = page_subtitle(
        run, sprintf(
          "Average silhouette %.2f: 1 = far from the other segments, ", mean(sil[, "sil_width"])
        ),
        "0 = on the border, below 0 = nearer to another."
      ),
      x = "Respondents, by segment", y = "Silhouette width",
      caption = sprintf(
        "cluster::silhouette on the components; %s. Weighted means: segments/table.csv.", drawn
      )
    ) +
    page_theme(run) +
    ggplot2::theme(
      axis.text.x = ggplot2::element_blank(), axis.ticks.x = ggplot2::element_blank(),
      panel.grid.major.x = ggplot2::element_blank()
    )
}

draw_map <- function(run) {
  n <- run$points$n
  one_axis <- ncol(run$coordinates) < 2L
  # With one component the second axis only keeps points apart: multiples of the golden ratio fill
  # it evenly.
  second <- if (one_axis) (seq_along(n) * 0.618034) %% 1 else run$coordinates[, 2L]
  points <- data.frame(x = run$coordinates[, 1L], y = second, n = n, segment = factor(run$segment))
  people <- points[rep(seq_along(n), n), ]
  centres <- stats::aggregate(cbind(x, y) ~ segment, people, mean)
  around <- people[people$segment %in% names(which(table(points$segment) >= 5L)), ]
  ggplot2::ggplot(points, ggplot2::aes(x = .data$x, y = .data$y)) +
    ggplot2::geom_point(ggplot2::aes(colour = .data$segment, size = .data$n), alpha = 0.55) +
    ggplot2::stat_ellipse(
      data = around, ggplot2::aes(colour = .data$segment),
      type = "norm", level = 0.5, linewidth = 0.9, show.legend = FALSE
    ) +
    ggplot2::geom_label(
      data = centres, ggplot2::aes(label = .data$segment, fill = .data$segment),
      colour = ink(run$colours), fontface = "bold", size = 4, label.size = 0.4, show.legend = FALSE
    ) +
    segment_scale(run, "colour") +
    segment_scale(run, "fill") +
    ggplot2::scale_size_area(max_size = min(7, 1.8 * sqrt(max(n))), guide = "none") +
    ggplot2::guides(colour = ggplot2::guide_legend(override.aes = list(size = 3.5, alpha = 1))) +
    ggplot2::labs(
      title = page_title(run, "Map of respondents"),
      subtitle = page_subtitle(
        run, "Each dot is a respondent, a larger one several with the same answers."
      ),
      x = axis_title(run, 1L), y = if (one_axis) "(spread out only to be seen)" else axis_title(
        run, 2L
      ),
      caption = paste(
        "Ellipses hold about half of a segment.",
        "Segments that overlap here can differ on further components."
      )
    ) +
    page_theme(run)
}

draw_heatmap <- function(run) {
  cells <- run$means[run$means$kind == "scale", ]
  if (nrow(cells) == 0L) fail(run$folder, ": profiles/means.csv has no rows of kind scale to draw.")
  labels <- unique(cells[c("variable", "label")])
  cells$row <- factor(cells$variable, levels = rev(labels$variable))
  cells$column <- factor(cells$segment, levels = seq_len(run$k))
  limit <- max(1, abs(cells$z), na.rm = TRUE)
  sizes <- run$table$n[match(seq_len(run$k), run$table$segment)]
  width <- max(9L, 96L %/% run$k)
  cells$shown <- ifelse(abs(cells$z) < 0.005, "0.00", sprintf("%+.2f", cells$z))
  cells$dark <- abs(cells$z) > 0.65 * limit
  text_size <- if (nrow(labels) > 20L) 2.5 else 3.6
  ggplot2::ggplot(cells, ggplot2::aes(x = .data$column, y = .data$row, fill = .data$z)) +
    ggplot2::geom_tile(colour = "white", linewidth = 0.8) +
    ggplot2::geom_text(ggplot2::aes(label = .data$shown, colour = .data$dark), size = text_size) +
    ggplot2::scale_colour_manual(values = c(`FALSE` = "black", `TRUE` = "white"), guide = "none") +
    ggplot2::scale_fill_gradient2(
      low = "#C4601D", mid = "#F6F6F4", high = "#0B5FA5", midpoint = 0, limits = c(-limit, limit),
      name = "Standard\ndeviations\nfrom the\naverage"
    ) +
    ggplot2::scale_x_discrete(
      position = "top", drop = FALSE,
      labels = paste0(
        wrap(paste0(seq_len(run$k), ": ", run$names), width, 4L), "\nn = ", big(sizes)
      )
    ) +
    ggplot2::scale_y_discrete(
      labels = stats::setNames(wrap(labels$label, 30L, 2L), labels$variable)
    ) +
    ggplot2::labs(
      title = page_title(run, "Segments by scales"),
      subtitle = page_subtitle(
        run, "A cell says how far the segment's mean lies from the mean of all."
      ),
      x = NULL, y = NULL, caption = "Values: profiles/means.csv, column z."
    ) +
    page_theme(run) +
    ggplot2::theme(
      panel.grid = ggplot2::element_blank(),
      axis.text.x.top = ggplot2::element_text(size = if (run$k > 6L) 8 else 10, vjust = 0),
      axis.text.y = ggplot2::element_text(size = if (nrow(labels) > 20L) 7.5 else 10)
    )
}

# ---- what pages share ----

page_title <- function(run, what) wrap(paste0(what, " — ", run$title), 78L, 2L)

# The base size, unweighted and weighted, stands first on every page.
page_subtitle <- function(run, ...) {
  n <- sum(run$table$n)
  weighted <- sum(run$table$weighted)
  wrap(
    paste0("Base: ", big(n), " respondents (weighted ", big(round(weighted)), "). ", ...), 120L, 3L
  )
}

# Black on light colours, white on dark ones (relative luminance, ITU-R BT.709).
ink <- function(colours) {
  luminance <- drop(c(0.2126, 0.7152, 0.0722) %*% grDevices::col2rgb(colours)) / 255
  ifelse(luminance > 0.45, "black", "white")
}

axis_title <- function(run, i) {
  file <- file.path(run$folder, "segments", "eigenvalues.csv")
  if (!file.exists(file)) return(paste("Component", i))
  share <- read_table(file)$share[[i]]
  sprintf("Component %d (%.0f%% of the variance)", i, 100 * share)
}

segment_scale <- function(run, aesthetic, ...) {
  ids <- as.character(seq_len(run$k))
  shares <- run$table$share[match(seq_len(run$k), run$table$segment)]
  labels <- paste0(
    wrap(paste0(ids, ": ", run$names), 26L, legend_lines(run)), sprintf("\n(%.0f%%)", 100 * shares)
  )
  ggplot2::scale_discrete_manual(
    aesthetics = aesthetic, values = stats::setNames(run$colours, ids),
    labels = stats::setNames(labels, ids), name = "Segment", ...
  )
}

# Up to seven names have room for three lines each and a line for the share.
legend_lines <- function(run) if (run$k <= 7L) 3L else 2L

page_theme <- function(run) {
  ggplot2::theme_minimal(base_size = 11) +
    ggplot2::theme(
      plot.title = ggplot2::element_text(face = "bold", size = 14),
      plot.title.position = "plot", plot.caption.position = "plot",
      plot.subtitle = ggplot2::element_text(colour = "grey25", size = 9.5),
      plot.caption = ggplot2::element_text(colour = "grey35", hjust = 0),
      plot.margin = ggplot2::margin(14, 14, 14, 14),
      panel.grid.minor = ggplot2::element_blank(),
      legend.key.height = grid::unit(if (run$k <= 10L) 12 * (legend_lines(run) + 1L) else 24, "pt"),
      legend.text = ggplot2::element_text(size = 9),
      plot.background = ggplot2::element_rect(fill = "white", colour = NA)
    )
}

big <- function(x) format(x, big.mark = ",", trim = TRUE, scientific = FALSE)

# ---- writing ----

# Everything is drawn beside the target first: a run that dies leaves no half-written report.
write_pages <- function(pages, out) {
  dir.create(dirname(out), recursive = TRUE, showWarnings = FALSE)
  part <- file.path(dirname(out), sprintf(".%s.part-%d", basename(out), Sys.getpid()))
  if (!dir.create(part, showWarnings = FALSE)) {
    fail("cannot write into ", dirname(out), ": name another OUT_FOLDER.")
  }
  on.exit(unlink(part, recursive = TRUE))
  grDevices::cairo_pdf(
    file.path(part, "persona_report.pdf"), page_inches[["width"]], page_inches[["height"]],
    onefile = TRUE
  )
  tryCatch(lapply(pages, print), finally = grDevices::dev.off())
  for (name in names(pages)) {
    grDevices::png(
      file.path(part, paste0(name, ".png")), page_inches[["width"]], page_inches[["height"]],
      units = "in", res = png_dpi, type = "cairo"
    )
    tryCatch(print(pages[[name]]), finally = grDevices::dev.off())
  }
  dir.create(out, showWarnings = FALSE)
  for (file in list.files(part)) {
    if (!file.rename(file.path(part, file), file.path(out, file))) {
      fail("cannot write ", file.path(out, file), ".")
    }
  }
}

if (sys.nframe() == 0L) run_script(main, usage, max_args = 2L)
