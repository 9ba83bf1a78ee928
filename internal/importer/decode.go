package importer

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

var bom = []byte("\uFEFF")

// decode turns a file's bytes into text and names the encoding it found. Anything that is valid UTF-8 is UTF-8. What is
// not is read as GB18030, except when nearly all of its multi-byte characters are valid UTF-8: that is a UTF-8 file with
// a few damaged rows, which are left for the row reader to reject (GB18030 would make confident nonsense of the whole).
func decode(data []byte) (text, encoding string, err error) {
	if rest, ok := bytes.CutPrefix(data, bom); ok {
		return string(rest), "UTF-8 with BOM", nil
	}
	if utf8.Valid(data) || mostlyUTF8(data) {
		return string(data), "UTF-8", nil
	}
	out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(data)
	if err != nil {
		return "", "", fmt.Errorf("decode as GB18030: %w", err)
	}
	text = string(out)
	if strings.ContainsRune(text, utf8.RuneError) {
		return "", "", errors.New("the text is neither UTF-8 nor GB18030; save it as UTF-8 and import again")
	}
	return text, "GB18030", nil
}

// mostlyUTF8 reports whether valid multi-byte characters outnumber invalid bytes ten to one. Chinese text in GB18030,
// looked at as UTF-8, is nearly all invalid bytes.
func mostlyUTF8(data []byte) bool {
	valid, invalid := 0, 0
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && size == 1:
			invalid++
		case size > 1:
			valid++
		}
		data = data[size:]
	}
	return valid > 10*invalid
}

// checkText rejects what a database of UTF-8 text cannot hold.
func checkText(field, value string) *fault {
	if !utf8.ValidString(value) {
		return &fault{field, strings.ToValidUTF8(value, "\uFFFD"), "holds bytes that are not UTF-8; save the row again as UTF-8"}
	}
	if strings.ContainsRune(value, 0) {
		return &fault{field, strings.ReplaceAll(value, "\x00", ""), "holds a NUL character; remove it"}
	}
	return nil
}
