//! From the bytes of a file to text, and from text to chunks. Parsers of untrusted input run in a child process.
