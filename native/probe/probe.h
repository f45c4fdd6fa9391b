/*
 * What the helper's tests run inside of a root, and outside as the control: one static program with a word for each
 * question, so that no test depends on a shell. Answers are lines `WHAT: RESULT`; a result is "ok" or an errno's name.
 */
#ifndef PROBE_H
#define PROBE_H

/* Each takes the words after its own and gives an exit status. */
struct word {
	const char *name;
	int (*answer)(char **words);
};

extern const struct word look_words[], attack_words[], process_words[], network_words[];

/* Prints the answer line; `result` negative means errno. */
void say(const char *what, long result);

#endif
