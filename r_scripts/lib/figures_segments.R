# The segments themselves: tree, map, stability, certainty, silhouettes, eigenvalues. The same rules
# as psychoseg/plots/{tree,evidence,stability,grids}.py.

# Deeper branches than these leaves show are folded into wedges, as in report.html.
max_leaves <- 60L
# cluster::silhouette needs all pairwise distances: 5,000 respondents take 100 MB.
max_silhouettes <- 5000L
# More dots than this hide one another.
max_dots <- 3000L
max_eigenvalues <- 40L
vote_colour <- "#B3261E"
# Hennig's (2007) bands of a Jaccard similarity.
jaccard_bands <- data.frame(
  low = c(0, 0.6, 0.75, 0.85), high = c(0.6, 0.75, 0.85, 1),
  colour = c("#F6DDD9", "#FBF0D5", "#E2F1E9", "#C9E6D8"),
  word = c("not to be trusted", "a pattern", "valid", "highly stable")
)

# ---- tree ----

draw_dendrogram <- function(run) {
  if (!has_tree(run)) {
    return(paste0("There is no tree to draw: ", run$summary$method, " makes none with heights."))
  }
  folded <- folded_tree(run, max_leaves)
  if (is.null(folded)) {
    return(paste("There is no tree to show: at its top, fewer than", run$min_base, "people part."))
  }
  n <- length(folded$height)
  along <- folded$segment[folded$tree$order]
  # A gap between segments, so that the colours do not touch.
  rows <- cumsum(c(1, ifelse(diff(along) == 0L, 1, 1.9)))
  row_of <- function(x) -stats::approx(seq_len(n), rows, x)$y
  dend <- stats::as.dendrogram(folded$tree, check = FALSE)
  dend <- dendextend::set(dend, "branches_col", branch_colour)
  for (s in setdiff(unique(along), 0L)) {
    # A branch has the colour of a segment where all of its leaves are of that segment.
    dend <- dendextend::branches_attr_by_labels(
      dend, labels = as.character(which(folded$segment == s)),
      TF_values = c(run$colours[[s]], Inf), attr = "col", type = "all"
    )
  }
  lines <- dendextend::as.ggdend(dend)$segments
  height <- folded$height[folded$tree$order]
  hangs <- lines$x == lines$xend & lines$yend == 0
  lines$yend[hangs] <- height[round(lines$x[hangs])] # a folded branch ends where it is folded
  # What joins two branches has their parent's colour.
  joins <- lines$y == lines$yend
  parent <- paste(lines$x, lines$y)[joins]
  mixed <- stats::ave(match(lines$col[joins], unique(lines$col)), parent, FUN = stats::var) > 0
  lines$col[joins][mixed] <- branch_colour
  lines[c("x", "xend")] <- lapply(lines[c("x", "xend")], row_of)
  several <- which(folded$count[folded$tree$order] > 1L)
  wedges <- data.frame(
    leaf = rep(several, each = 3L),
    x = as.vector(vapply(several, function(i) c(height[[i]], 0, 0), numeric(3L))),
    y = rep(-rows[several], each = 3L) + c(0, -0.4, 0.4),
    segment = as_segment(run, rep(along[several], each = 3L))
  )
  top <- max(run$tree$height)
  counts <- data.frame(y = -rows, n = big(round(folded$weight[folded$tree$order])))
  spans <- do.call(rbind, lapply(setdiff(unique(along), 0L), function(s) data.frame(
    segment = as_segment(run, s), low = -max(rows[along == s]) - 0.4,
    high = -min(rows[along == s]) + 0.4
  )))
  cut <- if (run$individuals || n >= run$k) cut_height(run) else numeric()
  plot <- ggplot2::ggplot(lines) +
    ggplot2::geom_polygon(
      data = wedges,
      ggplot2::aes(x = .data$x, y = .data$y, group = .data$leaf, fill = .data$segment),
      alpha = 0.45, show.legend = FALSE
    ) +
    ggplot2::geom_segment(
      ggplot2::aes(x = .data$y, y = .data$x, xend = .data$yend, yend = .data$xend),
      colour = lines$col, linewidth = 0.5, lineend = "square"
    ) +
    ggplot2::geom_vline(
      data = data.frame(cut = cut), ggplot2::aes(xintercept = .data$cut), linetype = "dashed", colour = ink_colour, linewidth = 0.4
    ) +
    ggplot2::geom_text(
      data = counts, ggplot2::aes(x = -0.045 * top, y = .data$y, label = .data$n), hjust = 1,
      size = if (n > 45L) 2 else 2.6, colour = muted_colour
    ) +
    ggplot2::geom_rect(
      data = spans, ggplot2::aes(
        xmin = -0.06 * top, xmax = -0.055 * top, ymin = .data$low, ymax = .data$high,
        fill = .data$segment
      )
    ) +
    badges(run, data.frame(
      x = -0.09 * top, y = (spans$low + spans$high) / 2, segment = spans$segment
    )) +
    segment_scale(run, "fill") +
    ggplot2::scale_x_reverse(
      limits = c(1.02 * top, -0.12 * top), expand = c(0, 0),
      breaks = function(limits) Filter(function(x) x >= 0, pretty(c(0, top)))
    ) +
    ggplot2::scale_y_continuous(breaks = NULL, expand = ggplot2::expansion(add = 1))
  alone <- length(run$leaf_segment) == nrow(run$points)
  what <- if (alone) "patterns of answers" else "groups of alike respondents"
  note <- if (n == length(run$leaf_segment)) {
    sprintf("Each leaf is one of %s %s.", big(n), what)
  } else {
    sprintf(
      "The top %s branches of %s %s: wedges are folded branches with the weight of their people.",
      big(n), big(length(run$leaf_segment)), what
    )
  }
  page(
    plot, run, "dendrogram", run$k, " segments, cut at the dashed line. ",
    first_of(run$summary$reason, ""), x = "Distance at which groups are joined",
    note = paste0(note, " Method: ", run$summary$method, ".")
  ) +
    page_theme(run) +
    ggplot2::theme(panel.grid.major.y = ggplot2::element_blank())
}

# ---- map ----

draw_map <- function(run) {
  points <- run$points
  first <- run$coordinates[, 1L]
  if (is.null(points$map_1)) {
    points$map_1 <- first
    points$map_2 <- if (ncol(run$coordinates) > 1L) run$coordinates[, 2L] else 0
  }
  components <- isTRUE(all.equal(points$map_1, unname(first)))
  flat <- is.null(points$map_2) || all(points$map_2 == 0)
  dots <- data.frame(
    x = points$map_1, y = if (flat) lanes(points$segment) else points$map_2,
    weight = points$weight, segment = as_segment(run, points$segment)
  )
  centres <- do.call(rbind, lapply(split(dots, dots$segment), function(part) data.frame(
    x = stats::weighted.mean(part$x, part$weight), y = stats::weighted.mean(part$y, part$weight),
    segment = part$segment[[1L]]
  )))
  all <- nrow(dots)
  clouds <- NULL
  if (!run$individuals) {
    clouds <- map_clouds(run, dots, flat)
    centres <- clouds$centres
    dots <- clouds$outlines
  } else if (all > max_dots) {
    dots <- dots[unique(round(seq(1, all, length.out = max_dots))), ]
  }
  plot <- ggplot2::ggplot(dots, ggplot2::aes(x = .data$x, y = .data$y)) +
    ggplot2::geom_hline(yintercept = if (flat) NULL else 0, colour = rule_colour, linewidth = 0.4) +
    ggplot2::geom_vline(xintercept = 0, colour = rule_colour, linewidth = 0.4)
  if (is.null(clouds)) {
    plot <- plot + ggplot2::geom_point(
      ggplot2::aes(colour = .data$segment, size = .data$weight), alpha = 0.5, stroke = 0
    ) + ggplot2::scale_size_area(
      max_size = min(7, 2.2 * sqrt(max(dots$weight) / stats::median(dots$weight))), guide = "none"
    )
  } else {
    plot <- plot + ggplot2::geom_polygon(
      ggplot2::aes(group = .data$group, fill = .data$segment, colour = .data$segment), alpha = 0.2,
      linewidth = 0.4, show.legend = FALSE
    ) + ggplot2::geom_point( # for the legend alone
      data = centres, ggplot2::aes(colour = .data$segment), size = 0.1
    )
  }
  if (!flat && components) plot <- plot + arrows(run, dots, centres) + equal_units(dots)
  plot <- plot +
    badges(run, centres, size = 4) +
    segment_scale(run, "colour") +
    segment_scale(run, "fill", guide = "none") +
    ggplot2::guides(colour = ggplot2::guide_legend(override.aes = list(size = 3.5, alpha = 1)))
  notes <- c(
    if (!is.null(run$summary$map_note)) paste0("Shown: ", run$summary$map_note, "."),
    if (!flat && components) paste(
      if (!run$individuals) "Two in five of a segment's people are in its inner ellipse, nearly",
      if (!run$individuals) "nine in ten in the outer one. Arrows point to where a feature grows.",
      "Segments that overlap here can differ on further components."
    ),
    if (run$individuals && all > max_dots) sprintf("%s of %s dots are drawn.", big(nrow(dots)), big(all))
  )
  away <- "Near is alike; directions and distances mean nothing"
  page(
    plot, run, "map", if (run$individuals) {
      "Stays in the house: each dot is a respondent, a larger one several with the same answers."
    } else {
      paste0("Each cloud is a segment; none has fewer than ", run$min_base, " people.")
    },
    x = if (components) axis_title(run, 1L) else away,
    y = if (flat) "Segment" else if (components) axis_title(run, 2L) else NULL,
    note = paste(notes, collapse = " ")
  ) +
    page_theme(run) +
    (if (components && !flat) NULL else ggplot2::theme(axis.text.y = ggplot2::element_blank())) +
    (if (components) NULL else ggplot2::theme(axis.text.x = ggplot2::element_blank()))
}

# Two ellipses for each segment of enough people, of one and two standard deviations, from moments
# in steps of a hundredth of the map: a report that leaves shows nobody alone. Those who are only
# counted together are one cloud, in the colour of the largest.
map_clouds <- function(run, dots, flat) {
  group <- run$counted_as[as.integer(dots$segment)]
  wide <- if (flat) 4 * stats::sd(dots$x) else 4 * max(stats::sd(dots$x), stats::sd(dots$y))
  step <- signif(wide, 1L) / 100
  stepped <- function(x) round(x / step) * step
  around <- seq(0, 2 * pi, length.out = 61L)
  found <- lapply(sort(unique(group[!is.na(group)])), function(s) {
    part <- dots[!is.na(group) & group == s, ]
    share <- part$weight / sum(part$weight)
    x <- sum(share * part$x)
    y <- if (flat) -s else sum(share * part$y)
    vx <- sum(share * (part$x - x)^2)
    vy <- if (flat) 0.04 else sum(share * (part$y - y)^2)
    vxy <- if (flat) 0 else sum(share * (part$x - x) * (part$y - y))
    turn <- round(atan2(2 * vxy, vx - vy) / 2 * 18 / pi) * pi / 18
    half <- sqrt(((vx - vy) / 2)^2 + vxy^2)
    along <- max(stepped(sqrt((vx + vy) / 2 + half)), step)
    across <- max(stepped(sqrt(max((vx + vy) / 2 - half, 0))), step)
    if (flat) {
      along <- max(stepped(sqrt(vx)), step)
      across <- 0.2
      turn <- 0
    }
    centre <- c(stepped(x), if (flat) y else stepped(y))
    rings <- lapply(2:1, function(reach) data.frame(
      x = centre[[1L]] + reach * (along * cos(around) * cos(turn) - across * sin(around) * sin(turn)),
      y = centre[[2L]] + reach * (along * cos(around) * sin(turn) + across * sin(around) * cos(turn)),
      segment = as_segment(run, s), group = paste(s, reach)
    ))
    list(
      outline = do.call(rbind, rings),
      centre = data.frame(x = centre[[1L]], y = centre[[2L]], segment = as_segment(run, s))
    )
  })
  list(
    outlines = do.call(rbind, lapply(found, `[[`, "outline")),
    centres = do.call(rbind, lapply(found, `[[`, "centre"))
  )
}

# One unit for both axes, with limits that fill the page.
equal_units <- function(dots) {
  aspect <- 1.35 # of the panel beside its legend
  tall <- 1.08 * max(diff(range(dots$y)), diff(range(dots$x)) / aspect)
  around <- function(x, span) mean(range(x)) + c(-0.5, 0.5) * span
  ggplot2::coord_fixed(
    xlim = around(dots$x, tall * aspect), ylim = around(dots$y, tall), expand = FALSE
  )
}

# Each segment's points spread over a lane of its own: multiples of the golden ratio fill it evenly.
lanes <- function(segment) {
  place <- stats::ave(seq_along(segment), segment, FUN = seq_along) - 1
  -segment + 0.6 * ((place * (sqrt(5) - 1) / 2) %% 1 - 0.5)
}

# The strongest features on the two components; under .4 less than 16% of their variance lies here.
arrows <- function(run, dots, centres) {
  if (is.null(run$components$comp_2)) return(NULL)
  strength <- sqrt(run$components$comp_1^2 + run$components$comp_2^2)
  kept <- utils::head(order(-strength), 8L)
  kept <- kept[strength[kept] >= 0.4]
  if (length(kept) == 0L) return(NULL)
  reach <- 0.44 * min(diff(range(dots$x)), diff(range(dots$y)))
  feature <- run$components[[1L]][kept]
  label <- run$features$label[match(feature, run$features$feature)]
  tips <- data.frame(
    x = reach * run$components$comp_1[kept], y = reach * run$components$comp_2[kept],
    label = wrap(ifelse(is.na(label), feature, label), 22L, 2L)
  )
  tips <- tips[!covered(tips, centres, diff(range(dots$x))), ]
  list(
    ggplot2::geom_segment(
      data = tips, ggplot2::aes(x = 0, y = 0, xend = .data$x, yend = .data$y), colour = ink_colour,
      linewidth = 0.5, arrow = grid::arrow(length = grid::unit(6, "pt"), type = "closed")
    ),
    ggplot2::geom_label(
      data = tips, ggplot2::aes(
        x = .data$x, y = .data$y, label = .data$label,
        hjust = ifelse(.data$x < 0, 1, 0), vjust = ifelse(.data$y < 0, 1, 0)
      ),
      size = 2.7, colour = ink_colour, fill = "white", alpha = 0.82, label.size = 0,
      lineheight = 0.9
    )
  )
}

# Whether a label would cover a stronger feature's, or a segment's number; `across` is the width of
# the map in its own units, of which a letter takes about a ninetieth and a line a thirtieth.
covered <- function(tips, centres, across) {
  lines <- strsplit(tips$label, "\n", fixed = TRUE)
  wide <- vapply(lines, function(x) max(nchar(x), 1L), 0L) * across / 90
  high <- pmax(lengths(lines), 1L) * across / 30
  boxes <- rbind(
    data.frame(
      left = tips$x - ifelse(tips$x < 0, wide, 0), low = tips$y - ifelse(tips$y < 0, high, 0),
      wide = wide, high = high
    ),
    data.frame(
      left = centres$x - across / 50, low = centres$y - across / 50, wide = across / 25,
      high = across / 25
    )
  )
  out <- rep(FALSE, nrow(tips))
  for (i in seq_len(nrow(tips))) {
    a <- boxes[i, ]
    others <- boxes[c(which(!out[seq_len(i - 1L)]), nrow(tips) + seq_len(nrow(centres))), ]
    out[[i]] <- any(
      a$left < others$left + others$wide & others$left < a$left + a$wide &
        a$low < others$low + others$high & others$low < a$low + a$high
    )
  }
  out
}

axis_title <- function(run, i) {
  share <- run$eigenvalues$share
  if (length(share) < i) return(paste("Component", i))
  sprintf("Component %d (%.0f%% of the variance)", i, 100 * share[[i]])
}

# ---- how sure ----

draw_stability <- function(run) {
  slsw <- run$slsw
  if (all(is.na(c(run$table$jaccard, slsw$value)))) {
    return("The run measured no stability of its segments.")
  }
  jaccard <- data.frame(segment = as_segment(run, run$table$segment), value = run$table$jaccard)
  known <- c(slsw$value, jaccard$value)
  start <- min(0.5, floor(10 * min(known, 1, na.rm = TRUE)) / 10)
  bands <- transform(jaccard_bands, low = pmax(low, start))
  bands <- bands[bands$high > start, ]
  row <- function(segment) run$k + 1L - as.integer(segment)
  plot <- ggplot2::ggplot() +
    ggplot2::geom_rect(
      data = bands, ggplot2::aes(
        xmin = .data$low, xmax = .data$high, ymin = 0.4, ymax = run$k + 0.6
      ), fill = bands$colour
    ) +
    ggplot2::geom_text(
      data = bands, ggplot2::aes(
        x = (.data$low + .data$high) / 2, y = run$k + 0.75, label = .data$word
      ), size = 3, colour = muted_colour
    )
  if (!is.null(slsw) && nrow(slsw) > 0L) {
    slsw$segment <- as_segment(run, slsw$segment)
    plot <- plot + ggplot2::geom_boxplot(
      data = slsw, ggplot2::aes(
        x = .data$value, y = row(.data$segment), group = .data$segment, fill = .data$segment
      ),
      width = 0.42, alpha = 0.75, colour = ink_colour, linewidth = 0.3, outlier.size = 0.6,
      outlier.colour = muted_colour, orientation = "y", na.rm = TRUE
    )
  }
  plot <- plot +
    ggplot2::geom_point(
      data = jaccard, ggplot2::aes(x = .data$value, y = row(.data$segment)), shape = 23L, size = 3,
      fill = ink_colour, colour = "white", na.rm = TRUE
    ) +
    segment_scale(run, "fill", guide = "none") +
    ggplot2::scale_x_continuous(limits = c(start, 1), oob = function(x, ...) x, expand = c(0, 0)) +
    ggplot2::scale_y_continuous(
      breaks = seq_len(run$k), expand = c(0, 0), limits = c(0.4, run$k + 1),
      labels = rev(wrap(paste0(seq_len(run$k), ": ", run$names), 34L, 2L))
    )
  page(
    plot, run, "stability", "Boxes: how much of a segment comes back in each resample (SLSw). ",
    "Diamond: its mean Jaccard similarity.", x = "How much comes back",
    note = "Bands: Hennig (2007). Values: segments/slsw.csv and table.csv."
  ) +
    page_theme(run) +
    ggplot2::theme(
      panel.grid.major.y = ggplot2::element_blank(),
      axis.text.y = ggplot2::element_text(colour = ink_colour, size = 9, face = "bold")
    )
}

draw_certainty <- function(run) {
  members <- run$members[run$members$segment > 0L & is.finite(run$members$certainty), ]
  if (is.null(members) || nrow(members) == 0L) {
    return("How sure each respondent's segment is was not measured.")
  }
  bins <- pmin(floor(20 * members$certainty), 19)
  counts <- as.data.frame(table(
    bin = factor(bins, levels = 0:19), segment = as_segment(run, members$segment)
  ))
  counts$bin <- (as.integer(counts$bin) - 0.5) / 20
  if (!run$individuals) {
    # Everybody as one, in five bars that are multiples of the base, none of fewer.
    all <- as.vector(table(factor(bins %/% 4, levels = 0:4)))
    counts <- data.frame(
      bin = c(0.1, 0.3, 0.5, 0.7, 0.9), segment = as_segment(run, 1L),
      Freq = ifelse(all < run$min_base, 0, round(all / run$min_base) * run$min_base)
    )
  }
  plot <- ggplot2::ggplot(
    counts, ggplot2::aes(x = .data$bin, y = .data$Freq, fill = .data$segment)
  ) +
    ggplot2::geom_col(
      width = if (run$individuals) 0.047 else 0.188, position = ggplot2::position_stack(reverse = TRUE),
      show.legend = run$individuals
    ) +
    segment_scale(run, "fill") +
    ggplot2::scale_x_continuous(breaks = seq(0, 1, 0.25), labels = percent, limits = c(0, 1)) +
    ggplot2::scale_y_continuous(labels = big)
  page(
    plot, run, "certainty", "To the right, people whose segment is the same in every resample.",
    x = "Resamples that put a respondent into the same segment", y = "Respondents",
    note = "Values: segments/members.csv, column certainty."
  ) +
    page_theme(run)
}

# Silhouette widths as means of at least so many neighbours of one segment; smaller segments go.
in_groups <- function(sil, least) {
  large <- names(which(table(sil[, "cluster"]) >= least))
  sil <- sil[sil[, "cluster"] %in% large, , drop = FALSE]
  for (s in unique(sil[, "cluster"])) {
    at <- which(sil[, "cluster"] == s)
    at <- at[order(-sil[at, "sil_width"])]
    group <- pmin((seq_along(at) - 1L) %/% least, length(at) %/% least - 1L)
    sil[at, "sil_width"] <- stats::ave(sil[at, "sil_width"], group)
  }
  structure(sil, class = "silhouette")
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
  if (!is.matrix(sil)) return("A silhouette needs two segments or more.")
  if (!run$individuals) {
    sil <- in_groups(sil, run$min_base)
    if (length(unique(sil[, "cluster"])) < 2L) return("Too few people to show silhouettes.")
    drawn <- sprintf("means of %d people or more, nobody alone", run$min_base)
  }
  plot <- factoextra::fviz_silhouette(sil, label = FALSE, print.summary = FALSE)
  plot$scales$scales <- list() # factoextra's colours; adding ours over them prints a message
  plot <- plot +
    segment_scale(run, "colour") +
    segment_scale(run, "fill") +
    ggplot2::ylim(min(-0.25, sil[, "sil_width"]), 1)
  page(
    plot, run, "silhouette",
    "Average silhouette ", two_decimals(mean(sil[, "sil_width"])),
    ": 1 = far from the other segments, 0 = on the border, below 0 = nearer to another.",
    x = "Respondents, by segment",
    y = "Silhouette width", note = sprintf(
      "cluster::silhouette on the components; %s. Weighted means: segments/table.csv.", drawn
    )
  ) +
    page_theme(run) +
    ggplot2::theme(
      axis.text.x = ggplot2::element_blank(), axis.ticks.x = ggplot2::element_blank(),
      panel.grid.major.x = ggplot2::element_blank()
    )
}

# ---- eigenvalues, neighbours ----

draw_scree <- function(run) {
  table <- run$scree
  series <- data.frame(
    column = c("observed", "factor", "threshold", "factor_threshold"),
    text = c("components", "factors", "components by chance", "factors by chance"),
    colour = c(high_colour, low_colour, high_colour, low_colour),
    line = c("solid", "solid", "dashed", "dashed")
  )
  series <- series[series$column %in% names(table), ]
  if (NROW(table) == 0L || nrow(series) == 0L) return("The run has no eigenvalues of items.")
  kept <- as.logical(table$retained)
  shown <- seq_len(min(nrow(table), max(max_eigenvalues, sum(kept, na.rm = TRUE) + 5L)))
  long <- do.call(rbind, lapply(seq_len(nrow(series)), function(i) data.frame(
    x = table$component[shown], y = as.numeric(table[[series$column[[i]]]][shown]),
    series = factor(series$text[[i]], levels = series$text), kept = kept[shown],
    own = series$line[[i]] == "solid"
  )))
  dots <- long[long$own, ]
  by_text <- function(values) stats::setNames(values, series$text)
  plot <- ggplot2::ggplot(long, ggplot2::aes(
    x = .data$x, y = .data$y, colour = .data$series, linetype = .data$series
  )) +
    ggplot2::geom_hline(yintercept = 0, colour = rule_colour) +
    ggplot2::geom_line(na.rm = TRUE) +
    ggplot2::geom_point(
      data = dots, ggplot2::aes(fill = ifelse(.data$kept, as.character(.data$series), "unused")),
      shape = 21L, size = ifelse(dots$kept, 2.6, 1.6), na.rm = TRUE, show.legend = FALSE
    ) +
    ggplot2::scale_colour_manual(values = by_text(series$colour), name = NULL) +
    ggplot2::scale_linetype_manual(values = by_text(series$line), name = NULL) +
    ggplot2::scale_fill_manual(
      values = c(by_text(series$colour), unused = "white"), guide = "none"
    )
  some <- if (length(shown) < nrow(table)) {
    sprintf(" The first %d of %d are drawn.", length(shown), nrow(table))
  }
  page(
    plot, run, "scree", "Filled dots are used; what lies under the dashed line is no more than ",
    "chance makes.", x = "Number of the component or factor", y = "Eigenvalue",
    note = paste0("Values: scales/eigenvalues.csv.", some)
  ) +
    page_theme(run) +
    ggplot2::theme(legend.key.height = grid::unit(16, "pt"))
}

draw_neighbours <- function(run) {
  curve <- run$neighbours
  if (is.null(curve) || nrow(curve) == 0L) return("Only DBSCAN looks at distances of neighbours.")
  eps <- curve$eps[[1L]]
  plot <- ggplot2::ggplot(curve, ggplot2::aes(x = 100 * .data$share, y = .data$distance)) +
    ggplot2::geom_line(colour = ink_colour, linewidth = 0.8) +
    ggplot2::geom_hline(yintercept = eps, colour = vote_colour, linetype = "dashed") +
    ggplot2::annotate(
      "text", x = 2, y = eps, label = sprintf("eps = %.2f", eps), hjust = 0, vjust = -0.6,
      colour = vote_colour, size = 3.4
    ) +
    ggplot2::scale_y_continuous(limits = c(0, NA))
  page(
    plot, run, "neighbours", "People above the line, where the curve turns up, are in no dense ",
    "group by themselves.", x = "Per cent of people, nearest neighbours first", y = "Distance",
    note = "Values: segments/neighbours.csv."
  ) +
    page_theme(run)
}
