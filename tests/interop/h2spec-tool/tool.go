// SPDX-License-Identifier: Apache-2.0

//go:build tool

// Package tool names the command for go.mod; nothing here is compiled.
package tool

import _ "github.com/summerwind/h2spec/cmd/h2spec"
