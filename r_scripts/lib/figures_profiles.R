# The segments beside one another over the scales: heat map, snake plot, radar, segment profile
# plot, and which variables tell the segments apart. The same rules as
# psychoseg/plots/{grids,profile_lines,profile_bars}.py. What is hidden is never drawn.

# Standard deviations from everybody beyond which a scale marks a segment: Dolnicar, Gruen and
# Leisch (2018), Market Segmentation Analysis, section 8.1, in the units of report.html.
marker <- 0.5
# More rows, spokes and variables than these cannot be read.
max_rows <- 20L
max_spokes <- 12L
max_importance <- 15L
no_scales <- "There is no mean of a scale or number to draw."

draw_heatmap <- function(run) {
  apart <- scales_apart(run)
  n <- length(apart$labels)
  if (n == 0L) return(no_scales)
  limit <- furthest(apart)
  cells <- apart_rows(run, apart)
  cells$column <- as.integer(cells$segment) + 1L
  cells$colour <- ink(shade(ifelse(is.na(cells$z), 0, cells$z / limit)))
  all <- data.frame(
    y = rev(seq_len(n)), column = 1L, text = mean_text(apart$total, apart$is_share)
  )
  sizes <- run$table$n[match(seq_len(run$k), run$table$segment)]
  size <- if (n > 20L || run$k > 10L) 2.5 else 3.6
  width <- 90L %/% (run$k + 1L)
  # Columns too narrow for names have numbers, and the names below.
  narrow <- run$k > 6L
  names <- if (narrow) seq_len(run$k) else paste0(seq_len(run$k), ": ", run$names)
  heads <- c(
    paste0("All\nn = ", big(run$n)), paste0(wrap(names, width, 4L), "\nn = ", big(sizes))
  )
  plot <- ggplot2::ggplot(cells, ggplot2::aes(x = .data$column, y = .data$y)) +
    ggplot2::geom_tile(
      ggplot2::aes(fill = .data$z), width = 0.97, height = 0.94, na.rm = TRUE
    ) +
    ggplot2::geom_text(
      ggplot2::aes(label = .data$text), colour = cells$colour, size = size
    ) +
    ggplot2::geom_text(
      data = all, ggplot2::aes(label = .data$text), colour = muted_colour, size = size
    ) +
    ggplot2::scale_fill_gradientn(
      colours = shade(seq(-1, 1, 0.05)), limits = c(-limit, limit), na.value = mid_colour,
      name = "Standard\ndeviations\nfrom the\naverage"
    ) +
    ggplot2::scale_x_continuous(
      position = "top", breaks = seq_len(run$k + 1L), labels = heads, expand = c(0, 0),
      limits = c(0.5, run$k + 1.5)
    ) +
    scale_axis(apart)
  page(
    plot, run, "heatmap", "A cell is a segment's mean or share; its colour says how far that lies from the ",
    "mean of all.", note = paste0(
      if (narrow) paste0(key_of(seq_len(run$k), run$names), ". "),
      "Values: profiles/means.csv, columns mean and z."
    )
  ) +
    page_theme(run) +
    ggplot2::theme(
      panel.grid = ggplot2::element_blank(),
      axis.text.x.top = ggplot2::element_text(
        size = if (narrow) 8 else 9.5, vjust = 0, colour = ink_colour
      )
    ) +
    small_rows(n)
}

draw_snake <- function(run) {
  apart <- scales_apart(run)
  n <- length(apart$labels)
  if (n == 0L) return(no_scales)
  rows <- apart_rows(run, apart)
  top <- furthest(apart) * 1.06
  known <- rows[!is.na(rows$z), ]
  ends <- known[!duplicated(known$segment, fromLast = TRUE), ] # the lowest mean that is known
  ends <- data.frame(x = ends$z, y = ends$y - 0.35, segment = ends$segment)
  plot <- ggplot2::ggplot(rows, ggplot2::aes(x = .data$z, y = .data$y, colour = .data$segment)) +
    ggplot2::geom_vline(xintercept = 0, colour = ink_colour, linewidth = 0.5) +
    ggplot2::geom_path(linewidth = 0.9, na.rm = TRUE) +
    ggplot2::geom_point(size = 2.2, na.rm = TRUE) +
    badges(run, ends, size = 3) +
    segment_scale(run, "colour") +
    segment_scale(run, "fill", guide = "none") +
    ggplot2::scale_x_continuous(
      limits = c(-top, top), labels = signed
    ) +
    scale_axis(apart)
  page(
    plot, run, "snake",
    "A line is a segment's means: to the right above everybody's, to the left below.",
    x = "Standard deviations from everybody's mean",
    note = "A line is broken where a mean is hidden. Values: profiles/means.csv, column z."
  ) +
    page_theme(run) +
    small_rows(n)
}

draw_radar <- function(run) {
  apart <- scales_apart(run, max_spokes)
  m <- length(apart$labels)
  if (m < 3L) return("A radar needs three scales or more.")
  angle <- 2 * pi * (seq_len(m) - 1) / m
  ring <- function(r, group, ...) {
    closed <- c(seq_len(m), 1L)
    data.frame(x = (r * sin(angle))[closed], y = (r * cos(angle))[closed], group = group, ...)
  }
  top <- furthest(apart)
  lines <- do.call(rbind, lapply(seq_len(run$k), function(s) {
    ring((1 + apart$z[, s] / top) / 2, s, segment = as_segment(run, s))
  }))
  whole <- as_segment(run, which(colSums(is.na(apart$z)) == 0L))
  spokes <- data.frame(x = sin(angle), y = cos(angle), number = seq_len(m))
  plot <- ggplot2::ggplot(lines, ggplot2::aes(x = .data$x, y = .data$y)) +
    ggplot2::geom_segment(
      data = spokes, ggplot2::aes(x = 0, y = 0, xend = .data$x, yend = .data$y),
      colour = rule_colour, linewidth = 0.4
    ) +
    ggplot2::geom_path(data = ring(1, 0), colour = rule_colour, linewidth = 0.4) +
    ggplot2::geom_path(
      data = ring(0.5, 0), colour = branch_colour, linetype = "dashed", linewidth = 0.5
    ) +
    ggplot2::geom_polygon(
      data = lines[lines$segment %in% whole, ], ggplot2::aes(fill = .data$segment), alpha = 0.28
    ) +
    ggplot2::geom_path(
      ggplot2::aes(colour = .data$segment, group = .data$segment), linewidth = 0.8, na.rm = TRUE
    ) +
    ggplot2::geom_point(ggplot2::aes(colour = .data$segment), size = 1.2, na.rm = TRUE) +
    ggplot2::geom_text(
      data = spokes,
      ggplot2::aes(x = 1.15 * .data$x, y = 1.15 * .data$y, label = .data$number),
      size = 2.7, colour = muted_colour
    ) +
    segment_scale(run, "colour", guide = "none") +
    segment_scale(run, "fill", guide = "none") +
    ggplot2::facet_wrap(
      ggplot2::vars(.data$segment), ncol = min(run$k, if (run$k > 8L) 5L else 4L),
      labeller = segment_strips(run, if (run$k > 8L) 25L else 29L)
    ) +
    ggplot2::coord_fixed(xlim = c(-1.25, 1.25), ylim = c(-1.25, 1.25))
  page(
    plot, run, "radar", "A spoke is a scale, from far below everybody's mean at the centre to far ",
    "above it; the dashed ring is everybody.", note = key_of(seq_len(m), apart$labels)
  ) +
    page_theme(run) + bare_axes()
}

draw_profile <- function(run) {
  apart <- scales_apart(run, max_rows)
  n <- length(apart$labels)
  if (n == 0L) return(no_scales)
  rows <- apart_rows(run, apart)
  top <- furthest(apart)
  rows$colour <- ifelse(
    abs(rows$z) > marker, run$colours[as.integer(rows$segment)], "#D4DAE1"
  )
  plot <- ggplot2::ggplot(rows) +
    ggplot2::annotate(
      "rect", xmin = -marker, xmax = marker, ymin = 0.4, ymax = n + 0.6, fill = "#F1F3F6"
    ) +
    ggplot2::geom_rect(
      ggplot2::aes(
        xmin = pmin(.data$z, 0), xmax = pmax(.data$z, 0), ymin = .data$y - 0.33,
        ymax = .data$y + 0.33, fill = .data$colour
      ), na.rm = TRUE
    ) +
    ggplot2::geom_vline(xintercept = 0, colour = ink_colour, linewidth = 0.5) +
    ggplot2::geom_text(
      data = rows[is.na(rows$z), ], ggplot2::aes(x = 0, y = .data$y), label = " hidden", hjust = 0,
      size = 2.4, colour = muted_colour
    ) +
    ggplot2::scale_fill_identity() +
    ggplot2::facet_wrap(
      ggplot2::vars(.data$segment), ncol = panel_columns(run$k),
      labeller = segment_strips(run, if (panel_columns(run$k) == 4L) 24L else 34L), drop = FALSE
    ) +
    ggplot2::scale_x_continuous(limits = c(-top, top), breaks = c(-1, 0, 1), labels = signed) +
    scale_axis(apart)
  page(
    plot, run, "profile", "A bar runs from everybody's mean to the segment's. Those that leave ",
    "the grey band mark the segment and have its colour.",
    x = "Standard deviations from everybody's mean",
    note = paste(
      "The band is half a standard deviation to either side (Dolnicar and Leisch 2014).",
      "Values: profiles/means.csv, column z."
    )
  ) +
    page_theme(run) +
    ggplot2::theme(
      panel.grid.major.y = ggplot2::element_blank(),
      axis.text.y = ggplot2::element_text(
        size = if (n * ceiling(run$k / panel_columns(run$k)) > 30L) 6.5 else 8.5,
        colour = ink_colour, lineheight = 0.85
      )
    )
}

panel_columns <- function(k) if (k %in% c(2L, 4L)) 2L else if (k > 9L) 4L else 3L

draw_importance <- function(run) {
  table <- run$importance
  if (is.null(table) || nrow(table) == 0L) return("The run measured no importance of variables.")
  table <- utils::head(table[order(table$rank), ], max_importance)
  n <- nrow(table)
  made <- c("made the segments", "describes them")
  rows <- data.frame(
    y = rev(seq_len(n)), value = 100 * table$importance, low = 100 * table$low,
    high = 100 * table$high,
    made = factor(ifelse(table$role %in% c("scale", "active"), made[[1L]], made[[2L]]), made)
  )
  plot <- ggplot2::ggplot(rows, ggplot2::aes(y = .data$y)) +
    ggplot2::geom_rect(
      ggplot2::aes(
        xmin = pmin(.data$value, 0), xmax = pmax(.data$value, 0), ymin = .data$y - 0.3,
        ymax = .data$y + 0.3, fill = .data$made
      ), na.rm = TRUE
    ) +
    ggplot2::geom_segment(
      ggplot2::aes(x = .data$low, xend = .data$high, yend = .data$y), colour = ink_colour,
      linewidth = 0.5, na.rm = TRUE
    ) +
    ggplot2::geom_vline(xintercept = 0, colour = ink_colour, linewidth = 0.4) +
    ggplot2::geom_text(
      ggplot2::aes(x = Inf, label = sub("+", "", signed(.data$value), fixed = TRUE)), hjust = 1,
      size = 3, colour = ink_colour
    ) +
    ggplot2::scale_fill_manual(
      values = stats::setNames(c(high_colour, low_colour), made), name = NULL, drop = FALSE
    ) +
    ggplot2::scale_x_continuous(expand = ggplot2::expansion(mult = c(0.02, 0.1))) +
    scale_axis(list(labels = table$label))
  page(
    plot, run, "importance",
    "How much of its accuracy a model loses without each variable, strongest first.",
    x = "Percentage points of accuracy lost when the answers are shuffled",
    note = "The line through a bar's end is the 95% interval. Values: profiles/importance.csv."
  ) +
    page_theme(run) +
    ggplot2::theme(
      panel.grid.major.y = ggplot2::element_blank(), legend.key.height = grid::unit(14, "pt")
    ) +
    small_rows(n)
}
