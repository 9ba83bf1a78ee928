package warehouse

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// ofBaseAll and ofMirrorAll are the columns of an issue that rows of the base and of the mirror have.
const ofBaseAll = baseColumns + ", " + endColumns

var ofMirrorAll = frozen + ", state, " + strings.Join(progress, ", ")

// ofBases are the lists of columns of the bases, of which a statement reads what it names.
var (
	ofBases      = []string{ofBaseAll, claimColumns, historyColumns, recurrenceColumns}
	withoutLists = strings.NewReplacer(ofBaseAll, "", ofMirrorAll, "", claimColumns, "", historyColumns, "", recurrenceColumns, "", fromMirror, "", ends, "", noArea, "")
)

// Around SQL of rows of several mirrors as they are now, which reads what it needs, whatever is made of them.
const (
	nowBegins = "/* now */ "
	nowEnds   = " /* so far */"
)

var nowAlone = regexp.MustCompile(`(?s)/\* now \*/.*?/\* so far \*/`)

// narrowed has a statement read no more columns of issues than it names elsewhere, nor tell ends that nobody asks for. The engine leaves them out as well, but takes longer to find that out
// than to count a million issues.
func narrowed(text string) string {
	if !strings.Contains(text, ofMirrorAll) && !slices.ContainsFunc(ofBases, func(all string) bool { return strings.Contains(text, all) }) {
		return text
	}
	named := words(withoutLists.Replace(nowAlone.ReplaceAllString(text, "")))
	for _, all := range ofBases {
		text = narrowedTo(named, text, all)
	}
	if !slices.ContainsFunc(strings.Split(endColumns, ", "), func(column string) bool { return named[column] }) {
		text = strings.ReplaceAll(text, ", "+ends, "")
	} else {
		maps.Copy(named, words(ends))
	}
	return narrowedTo(named, text, ofMirrorAll)
}

func narrowedTo(named map[string]bool, text, all string) string {
	columns := slices.DeleteFunc(strings.Split(all, ", "), func(column string) bool { return column != "id" && !named[column] })
	return strings.ReplaceAll(text, all, strings.Join(columns, ", "))
}

// words are those of a text of SQL, names among them.
func words(text string) map[string]bool {
	found := map[string]bool{}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		found[word] = true
	}
	return found
}
