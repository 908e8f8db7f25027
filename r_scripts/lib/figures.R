# What all figures of persona_report.R share: the list of them, the page, scales of colour and text.
#
# Each draw_<name>(run) takes what read_run() returns and gives a ggplot, or a sentence that says
# why there is none. Text is drawn as it stands, never as a formula.

page_inches <- c(width = 11, height = 7.5)
page_dpi <- 150

# In the order of the pages: how a figure is called.
figure_titles <- c(
  dendrogram = "Tree of respondents", choice = "How many segments",
  flow = "From one number of segments to the next", map = "Map of respondents",
  profile = "What marks each segment", heatmap = "Segments by scales",
  snake = "Segments over the scales", radar = "A radar for each segment",
  importance = "What tells the segments apart", stability = "How much of each segment comes back",
  certainty = "How sure each respondent's segment is",
  silhouette = "How well each respondent fits", scree = "Eigenvalues against chance",
  neighbours = "How near people's neighbours are"
)

draw_all <- function(run) {
  lapply(
    stats::setNames(nm = names(figure_titles)),
    function(name) draw_figure(run, name)
  )
}

draw_figure <- function(run, name) get(paste0("draw_", name), mode = "function")(run)

is_figure <- function(x) inherits(x, "ggplot")

# ---- the page ----

# A figure with its title, the base first in the subtitle, and a note under it.
page <- function(plot, run, what, ..., note = NULL, x = NULL, y = NULL) {
  plot +
    ggplot2::labs(
      title = wrap(paste0(figure_titles[[what]], " \u2014 ", run$title), 78L, 2L),
      subtitle = page_subtitle(run, ...), x = x, y = y,
      caption = if (is.null(note)) NULL else wrap(note, 150L, 4L)
    )
}

# The base size, unweighted and weighted, stands first on every page.
page_subtitle <- function(run, ...) {
  wrap(
    paste0(
      "Base: ", big(run$n), " respondents (weighted ", big(round(run$weighted)), "). ", ...
    ), 120L, 3L
  )
}

page_theme <- function(run) {
  ggplot2::theme_minimal(base_size = 11) +
    ggplot2::theme(
      text = ggplot2::element_text(colour = ink_colour),
      axis.text = ggplot2::element_text(colour = muted_colour),
      axis.title = ggplot2::element_text(colour = muted_colour),
      plot.title = ggplot2::element_text(face = "bold", size = 14),
      plot.title.position = "plot", plot.caption.position = "plot",
      plot.subtitle = ggplot2::element_text(colour = muted_colour, size = 9.5),
      plot.caption = ggplot2::element_text(colour = muted_colour, hjust = 0),
      plot.margin = ggplot2::margin(14, 14, 14, 14),
      panel.grid.minor = ggplot2::element_blank(),
      strip.text = ggplot2::element_text(colour = ink_colour, face = "bold", hjust = 0),
      legend.key.height = grid::unit(if (run$k <= 10L) 12 * (legend_lines(run) + 1L) else 24, "pt"),
      legend.text = ggplot2::element_text(size = 9),
      plot.background = ggplot2::element_rect(fill = "white", colour = NA)
    )
}

bare_axes <- function() {
  ggplot2::theme(
    panel.grid = ggplot2::element_blank(), axis.text = ggplot2::element_blank(),
    axis.title = ggplot2::element_blank(), axis.ticks = ggplot2::element_blank()
  )
}

# One decimal with its sign, a real minus, and none of either for zero.
signed <- function(x) {
  text <- ifelse(round(x, 1L) == 0, "0", sprintf("%+.1f", x))
  ifelse(is.na(x), "", sub("-", "\u2212", text))
}

# ---- segments ----

segment_scale <- function(run, aesthetic, ...) {
  ids <- as.character(seq_len(run$k))
  shares <- run$table$share[match(seq_len(run$k), run$table$segment)]
  labels <- paste0(
    wrap(paste0(ids, ": ", run$names), 26L, legend_lines(run)), "\n(", percent(shares), ")"
  )
  ggplot2::scale_discrete_manual(
    aesthetics = aesthetic, values = stats::setNames(run$colours, ids),
    labels = stats::setNames(labels, ids), name = "Segment", drop = FALSE, ...
  )
}

# Up to seven names have room for three lines each and a line for the share.
legend_lines <- function(run) if (run$k <= 7L) 3L else 2L

as_segment <- function(run, number) factor(number, levels = seq_len(run$k))

# Numbers of segments on their colours; `places` has x, y and segment.
badges <- function(run, places, size = 3.6) {
  ggplot2::geom_label(
    data = places,
    ggplot2::aes(x = .data$x, y = .data$y, label = .data$segment, fill = .data$segment),
    colour = ink(run$colours)[as.integer(places$segment)], size = size, fontface = "bold",
    label.size = 0.3, inherit.aes = FALSE, show.legend = FALSE
  )
}

# What numbers in a figure stand for, in one line for its note.
key_of <- function(numbers, texts) {
  paste(sprintf("%d %s", numbers, wrap(texts, 60L, 1L)), collapse = " \u00b7 ")
}

# Headings of panels, a segment each.
segment_strips <- function(run, width = 34L) {
  labels <- wrap(paste0(seq_len(run$k), ": ", run$names), width, 2L)
  ggplot2::as_labeller(stats::setNames(labels, seq_len(run$k)))
}

# Scales from the top down, with their labels.
scale_axis <- function(apart, ...) {
  n <- length(apart$labels)
  ggplot2::scale_y_continuous(
    breaks = seq_len(n), labels = rev(wrap(apart$labels, 30L, 2L)), limits = c(0.4, n + 0.6),
    expand = c(0, 0), ...
  )
}

small_rows <- function(n) ggplot2::theme(
  axis.text.y = ggplot2::element_text(
    size = if (n > 20L) 7.5 else 10, colour = ink_colour, lineheight = 0.9
  )
)

# One row a scale and segment; y counts from the bottom, so that the first scale stands on top.
apart_rows <- function(run, apart) {
  n <- length(apart$labels)
  data.frame(
    segment = as_segment(run, rep(seq_len(run$k), each = n)), y = rep(rev(seq_len(n)), run$k),
    row = rep(seq_len(n), run$k), z = as.vector(apart$z),
    text = mean_text(as.vector(apart$mean), rep(apart$is_share, run$k))
  )
}

mean_text <- function(mean, is_share) ifelse(is_share, percent(mean), two_decimals(mean))

furthest <- function(apart) max(1, abs(apart$z), na.rm = TRUE)
