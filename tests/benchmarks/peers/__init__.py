"""The products that Chainwright is compared with: installed, started and driven from here.

Nothing of them is in this repository; pip brings them, each into a virtual environment of its own below a
folder that BENCH_HOME names (about 1 GB for each; Label Studio's server, uwsgi, is compiled on the way, so a
C compiler is needed):

    export BENCH_HOME=~/chainwright-peers
    python -m tests.benchmarks.peers install label-studio      # some minutes, once; also: doccano
    make bench-review ARGS="--seconds 0 --peer label-studio"   # starts it, takes turns with it, stops it

By hand, to look at it: `python -m tests.benchmarks.peers start label-studio` prints its address and the
admin's name and password; `stop label-studio` ends it. SQLite, or with `--database postgres://…` a database
of its own on that server (made where it is absent).

The servers listen on 127.0.0.1 only, with analytics, error reports and checks for newer versions off. Their
data stays in BENCH_HOME, and so does what was installed; remove the folder to be rid of both.

`loop` is the closed loop of annotators, the same for every product, `Adapter` what a product implements for
it, `meters` measures processor time, `tasks` makes the questions, `product` is what all peers share,
`catalog` lists them. A further peer is one more module and one more line in the catalog.
"""
