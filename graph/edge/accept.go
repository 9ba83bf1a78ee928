package edge

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

const (
	mediaJSON     = "application/json"                  // the older form: 200 even when the document was refused
	mediaResponse = "application/graphql-response+json" // the status tells whether the document was executed
	mediaStream   = "text/event-stream"                 // each response an event: for subscriptions
)

// negotiate picks the reply's media type from the Accept header: the highest weight wins, then the first named. A header that
// is missing or takes anything means application/json, as the specification asks; "" means that nothing we speak is accepted.
func negotiate(r *http.Request) string {
	accepted := r.Header.Values("Accept")
	if len(accepted) == 0 {
		return mediaJSON
	}
	best, bestWeight := "", 0.0
	for entry := range strings.SplitSeq(strings.Join(accepted, ","), ",") {
		media, weight := acceptEntry(entry)
		if media != "" && weight > bestWeight {
			best, bestWeight = media, weight
		}
	}
	return best
}

// acceptEntry reads one entry of an Accept header: the media type that we would answer with, "" for none, and its weight.
func acceptEntry(entry string) (string, float64) {
	media, params, err := mime.ParseMediaType(entry)
	if err != nil || !isUTF8(params) {
		return "", 0
	}
	weight := 1.0
	if q, ok := params["q"]; ok {
		if weight, err = strconv.ParseFloat(q, 64); err != nil {
			return "", 0
		}
	}
	switch media {
	case mediaJSON, mediaResponse, mediaStream:
		return media, weight
	case "*/*", "application/*":
		return mediaJSON, weight
	}
	return "", 0
}

// isUTF8 tells whether a media type leaves the charset open or says UTF-8, the only one that GraphQL over HTTP knows.
func isUTF8(params map[string]string) bool {
	charset, ok := params["charset"]
	return !ok || strings.EqualFold(charset, "utf-8")
}
