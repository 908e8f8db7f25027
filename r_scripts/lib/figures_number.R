# The number of segments: what each index says of it, and who goes where when there is one more.
# The same rules as psychoseg/plots/{number,stability}.py.

# Numbers of segments side by side, and beyond the chosen one.
flow_levels <- 8L
flow_beyond <- 2L
chosen_colour <- "#DCE7F1"

# Column, heading, how it is read, and how the rule that votes is called.
choice_panels <- data.frame(
  column = c(
    "within", "silhouette", "calinski_harabasz", "davies_bouldin", "dunn", "gap",
    "prediction_strength", "jaccard_mean", "association", "smallest_share"
  ),
  title = c(
    "Within sum of squares", "Silhouette", "Calinski-Harabasz", "Davies-Bouldin", "Dunn", "Gap",
    "Prediction strength", "Stability (Jaccard)", "Link to profile", "Smallest segment"
  ),
  read = c(
    "look for the bend", "high is good", "high is good", "low is good", "high is good",
    "band: standard error", "from 0.80 good", "mean and weakest", "high is useful",
    "share of people"
  ),
  rule = c(
    "elbow", "silhouette", "calinski", "davies", "dunn", "gap", "prediction", "stability",
    "association", "smallest"
  )
)
# Stability across solutions, from the lightest colour to the darkest.
slsa_shades <- data.frame(
  least = c(0, 0.4, 0.6, 0.8, 0.9),
  colour = c("#F3E1C9", "#D9D9D2", "#A9C6DF", "#5E97C4", "#0B5FA5"),
  word = c("under 0.4", "0.4", "0.6", "0.8", "0.9 or more")
)

draw_choice <- function(run) {
  table <- run$choice
  if (is.null(table) || nrow(table) == 0L) return("The run compared no numbers of segments.")
  table <- table[order(table$k), ]
  heads <- paste0(choice_panels$title, "\n", choice_panels$read)
  long <- do.call(rbind, lapply(seq_len(nrow(choice_panels)), function(i) {
    panel <- choice_panels[i, ]
    known <- table[[panel$column]]
    if (is.null(known)) known <- rep(NA_real_, nrow(table))
    weakest <- if (panel$column == "jaccard_mean") table$jaccard_min else NULL
    se <- if (panel$column == "gap") table$gap_se else NULL
    votes <- run$votes$k[grepl(panel$rule, tolower(run$votes$rule), fixed = TRUE)]
    data.frame(
      panel = factor(heads[[i]], levels = heads), k = table$k, value = as.numeric(known),
      weakest = if (is.null(weakest)) NA_real_ else weakest, se = if (is.null(se)) NA_real_ else se,
      vote = table$k %in% utils::tail(votes, 1L)
    )
  }))
  none <- Filter(function(head) all(is.na(long$value[long$panel == head])), heads)
  others <- setdiff(
    unique(c(first_of(run$summary$recommended_k, 0L), first_of(run$summary$runner_up, 0L))),
    c(0L, run$k)
  )
  levels <- data.frame(
    panel = factor(heads[c(7L, 8L, 8L, 8L)], levels = heads), y = c(0.8, 0.6, 0.75, 0.85)
  )
  plot <- ggplot2::ggplot(long, ggplot2::aes(x = .data$k, y = .data$value)) +
    ggplot2::annotate(
      "rect", xmin = run$k - 0.45, xmax = run$k + 0.45, ymin = -Inf, ymax = Inf,
      fill = chosen_colour
    ) +
    ggplot2::geom_vline(xintercept = others, colour = muted_colour, linetype = "dotted") +
    ggplot2::geom_hline(
      data = levels, ggplot2::aes(yintercept = .data$y), colour = muted_colour, linetype = "dashed",
      linewidth = 0.3
    ) +
    ggplot2::geom_ribbon(
      data = long[is.finite(long$se), ],
      ggplot2::aes(ymin = .data$value - .data$se, ymax = .data$value + .data$se),
      fill = high_colour, alpha = 0.22, na.rm = TRUE
    ) +
    ggplot2::geom_line(
      ggplot2::aes(y = .data$weakest, group = .data$panel), colour = low_colour, na.rm = TRUE
    ) +
    ggplot2::geom_point(
      ggplot2::aes(y = .data$weakest), colour = low_colour, size = 0.9, na.rm = TRUE
    ) +
    ggplot2::geom_line(ggplot2::aes(group = .data$panel), colour = high_colour, na.rm = TRUE) +
    ggplot2::geom_point(colour = high_colour, size = 0.9, na.rm = TRUE) +
    ggplot2::geom_point(
      data = long[long$vote, ], shape = 5L, size = 3, colour = vote_colour, stroke = 0.9,
      na.rm = TRUE
    ) +
    ggplot2::facet_wrap(ggplot2::vars(.data$panel), scales = "free_y", ncol = 4L, drop = FALSE) +
    ggplot2::scale_x_continuous(breaks = scales_breaks(table$k)) +
    ggplot2::scale_y_continuous(n.breaks = 4L)
  if (length(none) > 0L) {
    plot <- plot + ggplot2::geom_text(
      data = data.frame(panel = factor(none, levels = heads)),
      ggplot2::aes(x = mean(range(table$k)), y = 0), label = "not available", size = 3,
      colour = muted_colour
    )
  }
  dotted <- if (length(others) > 0L) {
    sprintf(" Dotted: %s, recommended or next best.", paste(sort(others), collapse = " and "))
  }
  page(
    plot, run, "choice", first_of(run$summary$k_reason, run$summary$k_rule, ""),
    x = "Number of segments", note = paste0(
      "Band: the ", run$k, " segments shown.", dotted, " Diamond: what the index itself says. ",
      "Orange: stability of the weakest segment. Values: segments/choice.csv and votes.csv."
    )
  ) +
    page_theme(run) +
    ggplot2::theme(strip.text = ggplot2::element_text(size = 8.5))
}

scales_breaks <- function(k) if (length(k) > 6L) Filter(function(x) x == 1 || x %% 5 == 0, k) else k

draw_flow <- function(run) {
  flow <- run$flow
  none <- "There is no other number of segments to compare."
  if (is.null(flow) || nrow(flow) == 0L) return(none)
  there <- sort(unique(c(flow$k, flow$k + 1L)))
  last <- min(max(there), max(run$k, first_of(run$summary$recommended_k, 0L)) + flow_beyond)
  levels <- there[there >= max(2L, last - flow_levels + 1L) & there <= last]
  if (length(levels) < 2L) return(none)
  sizes <- lapply(levels, function(k) flow_sizes(flow, k))
  names(sizes) <- levels
  places <- list()
  order <- sort(as.integer(names(sizes[[1L]])))
  gap <- 0.05 * sum(sizes[[1L]])
  for (k in as.character(levels)) {
    if (length(places) > 0L) {
      before <- flow[flow$k == as.integer(k) - 1L, ]
      order <- flow_order(before, places[[length(places)]], sizes[[k]])
    }
    places[[k]] <- stack_nodes(order, sizes[[k]], gap)
  }
  families <- flow_families(flow, run$k, levels)
  bar <- 0.1
  ribbons <- do.call(rbind, lapply(utils::head(levels, -1L), function(k) {
    part <- flow[flow$k == k, ]
    own <- if (k < run$k) part$next_segment else part$segment
    family <- families[[as.character(if (k < run$k) k + 1L else k)]]
    part$colour <- segment_colour(family[as.character(own)])
    ribbon_rows(part, places[[as.character(k)]], places[[as.character(k + 1L)]], k, bar)
  }))
  nodes <- do.call(rbind, lapply(as.character(levels), function(k) {
    place <- places[[k]]
    at <- match(paste(k, place$segment), paste(run$stability$k, run$stability$segment))
    data.frame(
      k = as.integer(k), place,
      left = slsa_class(run$stability$slsa[at]), right = slsa_class(run$stability$slsa_next[at])
    )
  }))
  chosen <- nodes[nodes$k == run$k, ]
  other <- nodes[nodes$k != run$k, ]
  half <- function(from, to, side) ggplot2::geom_rect(
    data = nodes, ggplot2::aes(
      xmin = .data$k + from, xmax = .data$k + to, ymin = -.data$top - .data$tall,
      ymax = -.data$top, fill = .data[[side]]
    )
  )
  plot <- ggplot2::ggplot() +
    ggplot2::geom_polygon(
      data = ribbons, ggplot2::aes(x = .data$x, y = -.data$y, group = .data$ribbon),
      fill = ribbons$colour, alpha = 0.45
    ) +
    half(-bar / 2, 0, "left") + half(0, bar / 2, "right") +
    ggplot2::geom_rect(
      data = nodes, ggplot2::aes(
        xmin = .data$k - bar / 2, xmax = .data$k + bar / 2, ymin = -.data$top - .data$tall,
        ymax = -.data$top
      ), fill = NA, colour = ifelse(nodes$k == run$k, ink_colour, muted_colour), linewidth = 0.3
    ) +
    ggplot2::geom_text(
      data = other, ggplot2::aes(
        x = .data$k + bar / 2 + 0.03, y = -.data$top - .data$tall / 2, label = .data$segment
      ), hjust = 0, size = 2.9, fontface = "bold", colour = ink_colour
    ) +
    ggplot2::geom_label(
      data = chosen,
      ggplot2::aes(x = .data$k, y = -.data$top - .data$tall / 2, label = .data$segment),
      fill = run$colours[chosen$segment], colour = ink(run$colours)[chosen$segment], size = 3.2,
      fontface = "bold", label.size = 0.3
    ) +
    ggplot2::scale_fill_manual(
      values = stats::setNames(slsa_shades$colour, slsa_shades$word), drop = FALSE,
      na.value = rule_colour, name = "Stability\nacross numbers\n(SLSa)"
    ) +
    ggplot2::scale_x_continuous(breaks = levels, position = "top") +
    ggplot2::scale_y_continuous(breaks = NULL)
  key <- key_of(seq_len(run$k), run$names)
  page(
    plot, run, "flow", "Bands show where people go when there is one segment more, in the colours ",
    "of the segments reported. The left half of a bar is dark where the segment was one before, ",
    "the right half where it stays one.",
    x = "Number of segments",
    note = paste0(key, ". Values: segments/flow.csv and stability.csv (Dolnicar and Leisch 2017).")
  ) +
    page_theme(run) +
    ggplot2::theme(panel.grid = ggplot2::element_blank(), legend.key.height = grid::unit(16, "pt"))
}

# The weight of each of k segments, from what leaves them or what enters them.
flow_sizes <- function(flow, k) {
  leaves <- flow[flow$k == k, ]
  if (nrow(leaves) > 0L) return(tapply(leaves$weight, leaves$segment, sum))
  enters <- flow[flow$k == k - 1L, ]
  tapply(enters$weight, enters$next_segment, sum)
}

# By the mean place of those they come from; of equal ones the lower number first.
flow_order <- function(part, before, sizes) {
  numbers <- sort(as.integer(names(sizes)))
  middle <- before$top + before$tall / 2
  mean <- vapply(numbers, function(s) {
    into <- part[part$next_segment == s, ]
    if (nrow(into) == 0L) return(Inf)
    stats::weighted.mean(middle[match(into$segment, before$segment)], into$weight)
  }, 0)
  numbers[order(round(mean, 6L), numbers)]
}

# All numbers of one scale and centred on zero.
stack_nodes <- function(order, sizes, gap) {
  tall <- as.vector(sizes[as.character(order)])
  below <- cumsum(tall + gap)
  data.frame(
    segment = order, top = c(0, utils::head(below, -1L)) - (utils::tail(below, 1L) - gap) / 2,
    tall = tall
  )
}

# Of each number and segment the reported segment that most of it becomes or was.
flow_families <- function(flow, k, levels) {
  own_numbers <- as.integer(names(flow_sizes(flow, k)))
  out <- list()
  out[[as.character(k)]] <- stats::setNames(own_numbers, own_numbers)
  step <- function(out, at, own, other, near) {
    part <- flow[flow$k == min(at, near), ]
    part <- part[order(-part$weight), ]
    part <- part[!duplicated(part[[own]]), ]
    family <- out[[as.character(near)]][as.character(part[[other]])]
    out[[as.character(at)]] <- stats::setNames(ifelse(is.na(family), 0L, family), part[[own]])
    out
  }
  for (at in levels[levels > k]) out <- step(out, at, "next_segment", "segment", at - 1L)
  for (at in rev(levels[levels < k])) out <- step(out, at, "segment", "next_segment", at + 1L)
  out
}

ribbon_rows <- function(part, here, there, k, bar) {
  from <- match(part$segment, here$segment)
  to <- match(part$next_segment, there$segment)
  used_here <- numeric(nrow(here))
  used_there <- numeric(nrow(there))
  # A smooth step from one bar to the next.
  t <- seq(0, 1, length.out = 30L)
  ease <- t^2 * (3 - 2 * t)
  x <- k + bar / 2 + t * (1 - bar)
  rows <- list()
  for (i in order(here$top[from], there$top[to])) {
    y0 <- here$top[[from[[i]]]] + used_here[[from[[i]]]]
    y1 <- there$top[[to[[i]]]] + used_there[[to[[i]]]]
    tall <- part$weight[[i]]
    used_here[[from[[i]]]] <- used_here[[from[[i]]]] + tall
    used_there[[to[[i]]]] <- used_there[[to[[i]]]] + tall
    y <- y0 + (y1 - y0) * ease
    rows[[length(rows) + 1L]] <- data.frame(
      x = c(x, rev(x)), y = c(y, rev(y) + tall), colour = part$colour[[i]],
      ribbon = sprintf("%d %d %d", k, part$segment[[i]], part$next_segment[[i]])
    )
  }
  do.call(rbind, rows)
}

slsa_class <- function(slsa) {
  if (length(slsa) == 0L) slsa <- NA_real_
  factor(slsa_shades$word[findInterval(slsa, slsa_shades$least)], levels = slsa_shades$word)
}
