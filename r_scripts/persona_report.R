# Draws the figures of a finished run, the same set as report.html has, and writes a report of it in
# R Markdown.
#
# Takes:  a run folder of psychoseg (or of segment_survey.R): segments/{tree,points,table}.csv and
#         summary.json, profiles/{means,personas}.csv; what else is there is drawn and told as well.
# Writes: OUT_FOLDER/persona_report.pdf, one page a figure, and a PNG of each; with --report
#         OUT_FOLDER/persona_report.html, one file, from persona_report.Rmd.

usage <- "Usage: Rscript persona_report.R RUN_FOLDER [OUT_FOLDER] [--report] [--quiet]

Draws the segments of a run folder: tree, map, choice of their number, flow, profiles, stability.

  RUN_FOLDER  a folder written by `psychoseg run` or by segment_survey.R
  OUT_FOLDER  where the PDF and the PNGs go (RUN_FOLDER/r_report)
  --report    write persona_report.html too, by rmarkdown and pandoc: verdict, sample, segments,
              personas, figures, profile tables and method in one file that works offline
  --quiet     no lines about the progress on stderr

Exit status: 0 done, 2 the input is wrong (one sentence says how), 1 a fault of the script.
"

script_folder <- function() {
  sourced <- if (sys.nframe() > 1L) sys.frame(1L)$ofile # read by source(), as the tests do
  file <- sourced
  if (is.null(file)) file <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
  dirname(gsub("~+~", " ", file, fixed = TRUE)) # Rscript writes a space as ~+~
}
here <- script_folder()
parts <- c(
  "common", "run", "figures", "figures_segments", "figures_number", "figures_profiles", "report"
)
for (part in parts) {
  source(file.path(here, "lib", paste0(part, ".R")), encoding = "UTF-8")
}

main <- function(args, options) {
  with_report <- isTRUE(options$report)
  need_packages(c(
    "cluster", "dendextend", "factoextra", "ggplot2", "jsonlite",
    if (with_report) c("knitr", "rmarkdown")
  ))
  if (with_report && !rmarkdown::pandoc_available("2.0")) {
    fail("--report needs pandoc: install it with `apt-get install pandoc`.")
  }
  run <- read_run(args[[1L]])
  out <- if (length(args) == 2L) args[[2L]] else file.path(args[[1L]], "r_report")
  if (file.exists(out) && !dir.exists(out)) {
    fail("cannot write into ", out, ": it is a file, name a folder.")
  }
  progress(run$k, " segments of ", run$n, " respondents read; figures")
  figures <- draw_all(run)
  for (name in names(figures)) {
    if (!is_figure(figures[[name]])) message("no ", name, ": ", one_line(figures[[name]]))
  }
  pages <- Filter(is_figure, figures)
  # ggplot2 tells of lines through a single point.
  suppressMessages(write_pages(pages, args[[1L]], out, with_report))
  message(
    "wrote ", file.path(out, "persona_report.pdf"),
    if (with_report) ", persona_report.html", " and ", length(pages), " PNGs"
  )
}

# Everything is drawn beside the target first: a run that dies leaves no half-written report.
write_pages <- function(pages, folder, out, with_report) {
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
    progress("picture of ", name)
    grDevices::png(
      file.path(part, paste0(name, ".png")), page_inches[["width"]], page_inches[["height"]],
      units = "in", res = page_dpi, type = "cairo"
    )
    tryCatch(print(pages[[name]]), finally = grDevices::dev.off())
  }
  if (with_report) progress("report by rmarkdown")
  if (with_report) write_report(folder, file.path(part, "persona_report.html"))
  dir.create(out, showWarnings = FALSE)
  for (file in list.files(part)) {
    if (!file.rename(file.path(part, file), file.path(out, file))) {
      fail("cannot write ", file.path(out, file), ".")
    }
  }
}

# Knit in a folder of its own with a plain name: what knitr and pandoc leave behind goes with it,
# and no name of the user's reaches a command line.
write_report <- function(folder, file) {
  folder <- normalizePath(folder)
  scripts <- normalizePath(here)
  work <- tempfile("report")
  dir.create(work)
  on.exit(unlink(work, recursive = TRUE))
  file.copy(file.path(scripts, c("persona_report.Rmd", "lib/persona_report.html")), work)
  rmarkdown::render(
    file.path(work, "persona_report.Rmd"),
    params = list(run = folder, scripts = scripts), envir = new.env(parent = globalenv()),
    quiet = TRUE, encoding = "UTF-8"
  )
  if (!file.copy(file.path(work, "persona_report.html"), file)) fail("cannot write ", file, ".")
}

if (sys.nframe() == 0L) run_script(main, usage, max_args = 2L, flags = "report")
