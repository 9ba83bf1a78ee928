package graph

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"groundwork"
)

// consistencyToken makes a receipt opaque.
func consistencyToken(r groundwork.Receipt) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "lsn:%X", r.LSN))
}

// consistencyLSN reads a token: the position that the warehouse has to reach.
func consistencyLSN(token string) (uint64, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	hex, ok := strings.CutPrefix(string(raw), "lsn:")
	lsn, numErr := strconv.ParseUint(hex, 16, 64)
	if err != nil || !ok || numErr != nil {
		return 0, groundwork.Invalid("query.consistency", "%q is no consistency token; give one that a mutation answered", token)
	}
	return lsn, nil
}
