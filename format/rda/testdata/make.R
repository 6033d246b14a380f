# Makes the files of this folder: Rscript make.R
train <- function(x) structure(x, class = "spikeTrain")
units <- list("neuron 1" = train(c(0.5, 1.25)), "neuron 2" = train(numeric(0)), "neuron 3" = train(c(2, 3, 4.5)))
save(units, file = "gzip.rda", version = 2, compress = "gzip")
trials <- list(a = structure(list("stim. 1" = c(1, 2), "stim. 2" = 3), class = "repeatedTrain"),
               b = structure(list("stim. 1" = numeric(0), "stim. 2" = c(0.25, 0.5)), class = "repeatedTrain"))
save(trials, file = "bzip2.rda", version = 2, compress = "bzip2")
counts <- list(x = 1:10, y = c(3L, NA, 5L), z = c(TRUE, FALSE))
text <- c(first = "a", second = NA)
save(counts, text, file = "xz.rda", version = 3, compress = "xz")
many <- as.character(1:4); sorted <- sort(c(3, 1, 2)); f <- function(x) x
save(many, sorted, file = "compact.rda", version = 3, compress = FALSE)
save(f, file = "function.rda", version = 2, compress = FALSE)
save(units, file = "ascii.rda", version = 2, ascii = TRUE, compress = FALSE)
