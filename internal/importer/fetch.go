package importer

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// Limits of Load: a source larger than this, or a server slower, is a mistake rather than an import.
const (
	MaxBytes     = 512 << 20
	fetchTimeout = 60 * time.Second
)

// IsURL reports whether a source is fetched rather than opened.
func IsURL(source string) bool {
	return strings.HasPrefix(source, "http://") || strings.HasPrefix(source, "https://")
}

// Load returns the bytes of a file, or of the answer to GET for an http or https address (within a minute). More than
// limit bytes is an error; limit 0 means MaxBytes.
func Load(ctx context.Context, source string, limit int64) ([]byte, error) {
	if limit <= 0 {
		limit = MaxBytes
	}
	if IsURL(source) {
		return fetch(ctx, source, limit)
	}
	file, err := os.Open(source)
	if err != nil {
		return nil, fmt.Errorf("open source: %w; give the path of a readable file", err)
	}
	defer file.Close()
	return readBounded(file, source, limit)
}

func fetch(ctx context.Context, address string, limit int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", address, err)
	}
	req.Header.Set("Accept", "application/json, application/xml;q=0.9, text/xml;q=0.9")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetch source: %w; check the address and the network", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch %s: the server answered %s; expected the list of requests, as at …/requests.json",
			address, resp.Status)
	}
	return readBounded(resp.Body, address, limit)
}

func readBounded(r io.Reader, source string, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", source, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("read %s: larger than %d bytes; split it and import the parts", source, limit)
	}
	return data, nil
}
