//! Full-screen user interface and line mode of wdb.
