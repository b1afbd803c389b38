/* wasi-libc has no setjmp, and run.c needs none: LUAI_TRY and LUAI_THROW are defined without it. */
