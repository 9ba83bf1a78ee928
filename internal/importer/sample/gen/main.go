// Command gen writes the sample's files from its seed: go generate ./internal/importer/sample
package main

import (
	"fmt"
	"os"

	"groundwork/internal/importer/sample/generate"
)

func main() {
	for name, data := range generate.Files() {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "write sample:", err)
			os.Exit(1)
		}
	}
}
