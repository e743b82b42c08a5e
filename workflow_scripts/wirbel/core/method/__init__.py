"""The method: whose steps surround the networks, Wirbel's own or SPINEPS'.

It is chosen once for a run and named everywhere by one of `OWN`, `PUBLISHED` and `SPINEPS` (`names`). Each module here
is one step, and the only place that chooses between the methods' ways of doing it: `prepare`, `clean`, `cut_out`,
`merge`, `name`, `arithmetic`. They are modules rather than the methods of one class because a result's code hash
follows imports: with a class, a change in how levels are named would compute every image anew.
"""
