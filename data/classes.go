package data

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"synfire/sample"
)

// Doubts are what a person should know of the classes that training samples have, a
// sentence each: classes without a sample, and names that look alike.
func Doubts(src sample.Source) (doubts []string, err error) {
	for f, field := range src.Spec().Targets {
		if field.Kind != sample.Class {
			continue
		}
		seen := make([]bool, len(field.Classes))
		for i := range src.Len() {
			t, err := src.Target(i, f)
			if err != nil {
				return nil, err
			}
			if t.Class >= 0 && t.Class < len(seen) {
				seen[t.Class] = true
			}
		}
		var missing []string
		for class, name := range field.Classes {
			if !seen[class] {
				missing = append(missing, name)
			}
		}
		if len(missing) > 0 {
			doubts = append(doubts, fmt.Sprintf("no training sample has %d of the %d classes of %s: %s; the model cannot learn them: add samples, or leave the classes out",
				len(missing), len(field.Classes), sample.Printable(field.Name), Names(missing)))
		}
		if pairs := lookAlikes(field.Classes); len(pairs) > 0 {
			doubts = append(doubts, fmt.Sprintf("classes of %s look alike and differ in blanks, case or letters of another alphabet: %s; where they are one class, write it in one way",
				sample.Printable(field.Name), strings.Join(pairs, ", ")))
		}
	}
	return doubts, nil
}

// lookAlikes are names that a person may take for another before them, at most five.
func lookAlikes(names []string) (pairs []string) {
	const most = 5
	first := map[string]string{}
	for _, name := range names {
		seen := skeleton(name)
		other, known := first[seen]
		switch {
		case !known:
			first[seen] = name
		case len(pairs) == most:
			return append(pairs, "and more")
		default:
			pairs = append(pairs, fmt.Sprintf("%+q and %+q", other, name))
		}
	}
	return pairs
}

// skeleton is what of a name the eye sees: without case, blanks and invisible characters,
// letters of other alphabets as the Latin ones that they look like, an accent by itself.
func skeleton(name string) string {
	var b strings.Builder
	for _, r := range name {
		if at, ok := latin[r]; ok {
			r = at
		}
		if r >= '！' && r <= '～' { // full width
			r -= '！' - '!'
		}
		r = unicode.ToLower(r)
		switch parts, ok := accented[r]; {
		case ok:
			b.WriteString(parts)
		case unicode.IsSpace(r) || unicode.In(r, unicode.Cf, unicode.Zs):
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// latin are letters that look like Latin ones.
var latin = pairsOf(
	"АВЕКМНОРСТУХЅІЈаеорсухѕіј", "ABEKMHOPCTYXSIJaeopcyxsij", // Cyrillic
	"ΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρ", "ABEZHIKMNOPTYXovp", // Greek
	"‐‑‒–—−", "------",
)

func pairsOf(lists ...string) map[rune]rune {
	out := map[rune]rune{}
	for pair := range slices.Chunk(lists, 2) {
		to := []rune(pair[1])
		for i, r := range []rune(pair[0]) {
			out[r] = to[i]
		}
	}
	return out
}

// accented are small letters with an accent, as the letter and the accent.
var accented = func() map[rune]string {
	out := map[rune]string{}
	for mark, list := range map[string]map[rune]rune{
		"\u0300": pairsOf("àèìòù", "aeiou"), "\u0301": pairsOf("áéíóúýćńśź", "aeiouycnsz"), "\u0302": pairsOf("âêîôû", "aeiou"),
		"\u0303": pairsOf("ãñõ", "ano"), "\u0308": pairsOf("äëïöüÿ", "aeiouy"), "\u030a": pairsOf("åů", "au"),
		"\u0327": pairsOf("çş", "cs"), "\u030c": pairsOf("čďěňřšťž", "cdenrstz"), "\u0328": pairsOf("ąę", "ae"),
	} {
		for from, to := range list {
			out[from] = string(to) + mark
		}
	}
	return out
}()
