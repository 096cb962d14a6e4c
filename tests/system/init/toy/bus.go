package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

const busSocket = "/run/dbus/system_bus_socket"

// own takes a name on the system's message bus for as long as this process lives (D-Bus Specification, "Message Protocol").
func own(name string) error {
	conn, err := net.Dial("unix", busSocket)
	if err != nil {
		return err
	}
	in := bufio.NewReader(conn)
	fmt.Fprintf(conn, "\x00AUTH EXTERNAL %x\r\n", strconv.Itoa(os.Getuid()))
	if line, err := in.ReadString('\n'); err != nil || !strings.HasPrefix(line, "OK") {
		return fmt.Errorf("authenticate to the bus: %q, %v", line, err)
	}
	var body bytes.Buffer
	text(&body, name)
	align(&body, 4)
	binary.Write(&body, binary.LittleEndian, uint32(4)) // do not queue
	conn.Write([]byte("BEGIN\r\n"))
	conn.Write(call(1, "Hello", "", nil))
	conn.Write(call(2, "RequestName", "su", body.Bytes()))
	go in.WriteTo(nowhere{}) // answers; systemd sees for itself who owns the name
	return nil
}

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

// call makes a method call to the bus itself.
func call(serial uint32, member, signature string, body []byte) []byte {
	var fields, message bytes.Buffer
	field := func(code byte, kind, value string) {
		align(&fields, 8)
		fields.Write([]byte{code, 1, kind[0], 0})
		if kind == "g" {
			fields.WriteByte(byte(len(value)))
			fields.WriteString(value + "\x00")
			return
		}
		text(&fields, value)
	}
	field(1, "o", "/org/freedesktop/DBus")
	field(2, "s", "org.freedesktop.DBus")
	field(3, "s", member)
	field(6, "s", "org.freedesktop.DBus")
	if signature != "" {
		field(8, "g", signature)
	}
	message.Write([]byte{'l', 1, 0, 1})
	for _, n := range []int{len(body), int(serial), fields.Len()} {
		binary.Write(&message, binary.LittleEndian, uint32(n))
	}
	message.Write(fields.Bytes())
	align(&message, 8)
	return append(message.Bytes(), body...)
}

func text(b *bytes.Buffer, s string) {
	align(b, 4)
	binary.Write(b, binary.LittleEndian, uint32(len(s)))
	b.WriteString(s + "\x00")
}

func align(b *bytes.Buffer, to int) {
	for b.Len()%to != 0 {
		b.WriteByte(0)
	}
}
