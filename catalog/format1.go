package catalog

import (
	"fmt"
	"regexp"
	"strings"

	"synfire/rule/eqprop"
)

// Configurations of equilibrium propagation in files of format 1 were written by hand:
// lists without commas, images as 28×28×1, convolutions beside each other at the top,
// and what a run has in common under names of its own.

var (
	oldList  = regexp.MustCompile(`(?m)^(\s*(?:sizes|rates): )\[([^\]]*)\]$`)
	oldImage = regexp.MustCompile(`(?m)^image: (\d+)×(\d+)×(\d+)$`)
	oldKeys  = regexp.MustCompile(`(?m)^(learner|images|shuffle): .*\n`)
)

// modernised is a configuration of a file of format 1 as it is written today.
func modernised(rule string, config []byte) []byte {
	if rule != eqprop.Kind {
		return config
	}
	text := string(config)
	ordered := strings.Contains(text, "\nshuffle: false\n")
	images := ""
	if m := regexp.MustCompile(`(?m)^images: (\d+)$`).FindStringSubmatch(text); m != nil {
		images = fmt.Sprintf(", train: %s", m[1])
	}
	text = oldKeys.ReplaceAllString(text, "")
	text = oldList.ReplaceAllStringFunc(text, func(line string) string {
		m := oldList.FindStringSubmatch(line)
		return m[1] + "[" + strings.Join(strings.Fields(m[2]), ", ") + "]"
	})
	text = strings.Replace(text, "\nrates: ", "\nlearning-rates: ", 1)
	text = oldImage.ReplaceAllString(text, "convolutional:\n  image: [$1, $2, $3]")
	if before, after, ok := strings.Cut(text, "\nconvolutions:\n"); ok {
		text = before + "\n  layers:\n"
		lines := strings.Split(after, "\n")
		for len(lines) > 0 && strings.HasPrefix(lines[0], "  - ") {
			text += "  " + lines[0] + "\n"
			lines = lines[1:]
		}
		text += strings.Join(lines, "\n")
	}
	return []byte(fmt.Sprintf("rule: %s\ndata: {name: mnist%s, ordered: %v}\nvalid: 0\n", eqprop.Kind, images, ordered) + text)
}
