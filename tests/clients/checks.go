// What the Go clients are asked, and TAP of what comes of it. Each client is built of this file and its own.
package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

type sample struct {
	name   string
	binary bool
	data   []byte
}

var (
	base    = os.Args[1]
	count   int
	failed  bool
	tooMuch = make([]byte, 2<<20+1)
)

func samples() []sample {
	bytes := make([]byte, 4096)
	for i := range bytes {
		bytes[i] = byte(i)
	}
	mebibyte := make([]byte, 1<<20)
	rand.Read(mebibyte)
	return []sample{
		{"text", false, []byte(strings.Repeat("Grüße, 世界 😀 ", 40))},
		{"binary", true, bytes},
		{"1 MiB of text", false, []byte(strings.Repeat("0123456789abcdef", 65536))},
		{"1 MiB", true, mebibyte},
	}
}

func check(name string, ok bool, seen ...any) {
	count++
	if ok {
		fmt.Printf("ok %d - %s\n", count, name)
		return
	}
	failed = true
	fmt.Printf("not ok %d - %s\n# %.300v\n", count, name, seen)
}

// Without a connection there is nothing more to see.
func must(err error) {
	if err != nil {
		check("it goes on", false, err)
		finish()
	}
}

func finish() {
	fmt.Printf("1..%d\n", count)
	if failed {
		os.Exit(1)
	}
	os.Exit(0)
}

// heard is whether a frame of the chat is a message, and what it says.
func heard(frame []byte) (isMessage bool, text string) {
	var facts struct{ Type, Message string }
	json.Unmarshal(frame, &facts)
	return facts.Type == "message", facts.Message
}
