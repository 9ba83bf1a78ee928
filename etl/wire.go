package etl

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Kinds of a field in a tuple of pgoutput.
const (
	fieldNull   = 'n'
	fieldToast  = 'u' // a long value that the update did not touch, and that Postgres therefore does not send
	fieldText   = 't'
	fieldBinary = 'b'
)

// field is one column of a tuple; data points into the message.
type field struct {
	kind byte
	data []byte
}

// change is a decoded insert, update or delete.
type change struct {
	op       byte // 'I', 'U' or 'D'
	relation uint32
	old      []field // key or whole old row; nil if not sent
	oldKind  byte    // 'K' or 'O'
	new      []field

	oldBuffer, newBuffer []field // reused from change to change
}

var errTruncated = errors.New("message ends early")

// parseChange decodes an insert, update or delete of pgoutput, protocol 1. The slices of c are good until the next call.
func parseChange(src []byte, c *change) error {
	if len(src) < 6 {
		return errTruncated
	}
	c.op, c.relation = src[0], binary.BigEndian.Uint32(src[1:])
	c.old, c.new, c.oldKind = nil, nil, 0
	src = src[5:]
	var err error
	if src[0] == 'K' || src[0] == 'O' {
		c.oldKind = src[0]
		if c.old, src, err = parseTuple(src[1:], c.oldBuffer[:0]); err != nil {
			return err
		}
		c.oldBuffer = c.old
	}
	if len(src) > 0 && src[0] == 'N' {
		if c.new, src, err = parseTuple(src[1:], c.newBuffer[:0]); err != nil {
			return err
		}
		c.newBuffer = c.new
	}
	switch {
	case len(src) != 0:
		return fmt.Errorf("%d bytes too many", len(src))
	case c.op != 'D' && c.new == nil:
		return errors.New("the new row is missing")
	case c.op == 'D' && c.old == nil:
		return errors.New("the old key is missing: give the table a primary key or a replica identity")
	}
	return nil
}

func parseTuple(src []byte, fields []field) ([]field, []byte, error) {
	if len(src) < 2 {
		return nil, nil, errTruncated
	}
	n := int(binary.BigEndian.Uint16(src))
	src = src[2:]
	for range n {
		if len(src) < 1 {
			return nil, nil, errTruncated
		}
		f := field{kind: src[0]}
		src = src[1:]
		switch f.kind {
		case fieldNull, fieldToast:
		case fieldText, fieldBinary:
			if len(src) < 4 || uint64(binary.BigEndian.Uint32(src)) > uint64(len(src)-4) {
				return nil, nil, errTruncated
			}
			size := binary.BigEndian.Uint32(src)
			f.data, src = src[4:4+size], src[4+size:]
		default:
			return nil, nil, fmt.Errorf("unknown kind %q of a field", f.kind)
		}
		fields = append(fields, f)
	}
	if fields == nil {
		fields = []field{}
	}
	return fields, src, nil
}

// copyReader takes the stream of COPY ... (FORMAT binary), cut anywhere, and hands on each tuple.
type copyReader struct {
	row     func([]field) error
	pending []byte
	fields  []field
	started bool
	ended   bool
}

const copySignature = "PGCOPY\n\xff\r\n\x00"

// Write implements io.Writer for pgconn's CopyTo.
func (r *copyReader) Write(p []byte) (int, error) {
	src := p
	if len(r.pending) > 0 {
		r.pending = append(r.pending, p...)
		src = r.pending
	}
	rest, err := r.consume(src)
	if err != nil {
		return 0, err
	}
	r.pending = append(r.pending[:0], rest...)
	return len(p), nil
}

func (r *copyReader) consume(src []byte) ([]byte, error) {
	if !r.started {
		if len(src) < len(copySignature)+8 {
			return src, nil
		}
		if string(src[:len(copySignature)]) != copySignature {
			return nil, errors.New("COPY did not answer in its binary format")
		}
		extension := int(binary.BigEndian.Uint32(src[len(copySignature)+4:]))
		if len(src) < len(copySignature)+8+extension {
			return src, nil
		}
		src, r.started = src[len(copySignature)+8+extension:], true
	}
	for !r.ended && len(src) >= 2 {
		n := int(int16(binary.BigEndian.Uint16(src)))
		if n < 0 {
			r.ended = true
			return nil, nil
		}
		rest, complete := r.tuple(src[2:], n)
		if !complete {
			break
		}
		if err := r.row(r.fields); err != nil {
			return nil, err
		}
		src = rest
	}
	return src, nil
}

// tuple reads n fields into r.fields; complete is false if src ends before them.
func (r *copyReader) tuple(src []byte, n int) (rest []byte, complete bool) {
	r.fields = r.fields[:0]
	for range n {
		if len(src) < 4 {
			return nil, false
		}
		size := int32(binary.BigEndian.Uint32(src))
		src = src[4:]
		if size < 0 {
			r.fields = append(r.fields, field{kind: fieldNull})
			continue
		}
		if int(size) > len(src) {
			return nil, false
		}
		r.fields = append(r.fields, field{kind: fieldBinary, data: src[:size]})
		src = src[size:]
	}
	return src, true
}
