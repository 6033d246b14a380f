package compare

// WhitenedPresent is tested where no entry is missing.
var WhitenedPresent = whitenedPresent
