// Package holidays holds the public holidays and make-up working days that `groundwork up` begins with and that an operator can
// replace (`groundwork import holidays FILE`). china.csv names its sources.
package holidays

import _ "embed"

// Name is what the bundled file is called where a file would be.
const Name = "china.csv (bundled)"

// China is the bundled file.
//
//go:embed china.csv
var China []byte
