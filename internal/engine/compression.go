package engine

import (
	"bufio"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// contentEncodings are the HTTP encodings we read and write, in the order in which they are preferred for answers.
var contentEncodings = []struct {
	name   string
	reader func(io.Reader) (io.Reader, error)
	writer func(io.Writer) io.WriteCloser
}{
	{"zstd", func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r, zstd.WithDecoderConcurrency(1)) },
		func(w io.Writer) io.WriteCloser {
			z, _ := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest)) // only options can fail
			return z
		}},
	{"lz4", func(r io.Reader) (io.Reader, error) { return lz4.NewReader(r), nil },
		func(w io.Writer) io.WriteCloser { return lz4.NewWriter(w) }},
	{"gzip", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		func(w io.Writer) io.WriteCloser { z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed); return z }},
	{"br", func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
		func(w io.Writer) io.WriteCloser { return brotli.NewWriterLevel(w, 1) }},
	{"deflate", func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) },
		func(w io.Writer) io.WriteCloser { z, _ := zlib.NewWriterLevel(w, zlib.BestSpeed); return z }},
}

// decodeContent undoes a request's Content-Encoding.
func decodeContent(encoding string, body io.Reader) (io.Reader, error) {
	if encoding == "" || strings.EqualFold(encoding, "identity") {
		return body, nil
	}
	for _, e := range contentEncodings {
		if strings.EqualFold(encoding, e.name) {
			return e.reader(bufio.NewReader(body))
		}
	}
	return nil, fmt.Errorf("unknown Content-Encoding %q: use gzip, deflate, br, zstd or lz4", encoding)
}

// encodeContent picks the encoding for an answer out of Accept-Encoding; name is "" where none fits.
func encodeContent(accept string, w io.Writer) (name string, writer io.WriteCloser) {
	for _, e := range contentEncodings {
		for offer := range strings.SplitSeq(accept, ",") {
			offer, quality, _ := strings.Cut(strings.TrimSpace(offer), ";")
			if strings.EqualFold(strings.TrimSpace(offer), e.name) && strings.TrimSpace(quality) != "q=0" {
				return e.name, e.writer(w)
			}
		}
	}
	return "", nil
}

// blockReader reads ClickHouse's own compressed framing (decompress=1).
type blockReader struct {
	r   *compress.Reader
	err error
}

func newBlockReader(r io.Reader) io.Reader {
	return &blockReader{r: compress.NewReader(bufio.NewReader(r))}
}

// Read implements io.Reader. The library wraps the end of data, which readers compare by identity; and read once more
// after it, it gives the last frame again.
func (b *blockReader) Read(p []byte) (n int, err error) {
	if b.err != nil {
		return 0, b.err
	}
	n, b.err = b.r.Read(p)
	if b.err != nil && errors.Is(b.err, io.EOF) {
		b.err = io.EOF
	}
	return n, b.err
}

// blockWriter writes ClickHouse's own compressed framing (compress=1), a frame a write at least.
type blockWriter struct {
	w io.Writer
	c *compress.Writer
}

const maxFrame = 1 << 20

func newBlockWriter(w io.Writer, method string) (io.WriteCloser, error) {
	methods := map[string]compress.Method{"": compress.LZ4, "LZ4": compress.LZ4, "LZ4HC": compress.LZ4HC, "ZSTD": compress.ZSTD, "NONE": compress.None}
	m, known := methods[strings.ToUpper(method)]
	if !known {
		return nil, throw(codeBadArguments, "network_compression_method is %q, want LZ4, LZ4HC, ZSTD or NONE", method)
	}
	return &blockWriter{w: w, c: compress.NewWriter(compress.LevelZero, m)}, nil
}

func (b *blockWriter) Write(p []byte) (n int, err error) {
	for n < len(p) {
		part := p[n:min(n+maxFrame, len(p))]
		if err := b.c.Compress(part); err != nil {
			return n, err
		}
		if _, err := b.w.Write(b.c.Data); err != nil {
			return n, err
		}
		n += len(part)
	}
	return n, nil
}

func (b *blockWriter) Close() error { return nil }
