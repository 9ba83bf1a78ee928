// Package sample holds the data that a fresh installation starts with: invented messages to the leaders of three
// prefectures that exist nowhere (X市, Y市, Z市 of 西地省), in the form of the message board's exports, and the
// populations of their regions. No letter of it is from a real message. The prefectures are none that the real board
// uses, so that counts by region of data imported later are not mixed with the sample's.
package sample

import (
	"embed"
	"fmt"
	"time"
)

//go:generate go run ./gen

//go:embed answered.csv open.csv population.csv
var files embed.FS

// File is one file of the sample.
type File struct {
	Name string
	Data []byte
}

// Messages returns the exports of the message board, for importer.ReadMessages: answered and open. Their times are of
// 2025 in Asia/Shanghai; their ids begin with S.
func Messages() []File { return []File{read("answered.csv"), read("open.csv")} }

// ObservedUntil is the moment at which the exports were "made": what was not answered by then is open.
func ObservedUntil() time.Time { return time.Date(2025, 12, 15, 10, 0, 0, 0, time.UTC) }

// Population returns the persons by region and year, for importer.ReadPopulation: code, name, year, persons, source.
// The province has none: it is also above the prefectures of the real board, whose persons nobody knows.
func Population() File { return read("population.csv") }

// Files returns all of it.
func Files() []File { return append(Messages(), Population()) }

func read(name string) File {
	data, err := files.ReadFile(name)
	if err != nil {
		panic(fmt.Sprintf("sample: embedded %s: %v", name, err))
	}
	return File{Name: name, Data: data}
}
