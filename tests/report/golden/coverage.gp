# Drawn by notrap plot; run with: gnuplot THIS > IMAGE
set terminal svg dynamic size 960,640 noenhanced font "sans-serif,14" background rgb "white"
set encoding utf8
set style textbox opaque fillcolor rgb "white" noborder margins 0.3,0.3
set border 3 linecolor rgb "#555555"
set tics nomirror out
set style fill solid 1.0 border rgb "white"
set grid ytics linetype 1 linecolor rgb "#e6e6e6"
set format y "%.0f%%"
set ylabel "guest page faults (%)"
set xrange [-0.6:2.2]
set yrange [0:116]
set xtics scale 0 ("" 0.0, "" 1.6)
set title "Which guest page faults bypass the hypervisor\077" font "sans-serif,20" offset 0,0.6
set tmargin 4.0
set key outside right top vertical Left reverse invert samplen 1 spacing 1.3 title "guest page faults" left
set label "guests/mini.elf  mmu=kvm-2.6.25  bypass=on  memory=64M  mhz=100\n(bold: coverage, bypassed of all not-present faults)  notrap VERSION" at screen 0.02, screen 0.064 left textcolor rgb "#555555"
set bmargin 6.6
set label "touch pages=8" at first 0.00, graph 0 center offset 0,-2.4 font "sans-serif,15"
set label "fork procs=2, \042x\042" at first 1.60, graph 0 center offset 0,-2.4 font "sans-serif,15"
set label "89%" at first 0.0, first 44.4444 center front textcolor rgb "white"
set label "11%" at first 0.0, first 94.4444 center front
set label "100%" at first 0.0, first 100 center front offset 0,1.6 boxed font "sans-serif,15"
set label "of 8" at first 0.0, first 100 center front offset 0,0.6 boxed textcolor rgb "#555555"
set label "95%" at first 1.6, first 47.619 center front textcolor rgb "white"
set label "5%" at first 1.6, first 97.619 center front
set label "100%" at first 1.6, first 100 center front offset 0,1.6 boxed font "sans-serif,15"
set label "of 20" at first 1.6, first 100 center front offset 0,0.6 boxed textcolor rgb "#555555"

# bar, from, to, height of "bypassed: no exit"
$part0 << EOD
0.0 0 88.8888889 88.8888889
1.6 0 95.2380952 95.2380952
EOD

# bar, from, to, height of "not present, but exits"
$part1 << EOD
0.0 88.8888889 88.8888889 0
1.6 95.2380952 95.2380952 0
EOD

# bar, from, to, height of "present: always exits"
$part2 << EOD
0.0 88.8888889 100 11.1111111
1.6 95.2380952 100 4.76190476
EOD

plot $part0 using 1:2:($1-0.36):($1+0.36):2:3 with boxxyerror linecolor rgb "#009e73" title "bypassed: no exit", \
     $part1 using 1:2:($1-0.36):($1+0.36):2:3 with boxxyerror linecolor rgb "#e69f00" title "not present, but exits", \
     $part2 using 1:2:($1-0.36):($1+0.36):2:3 with boxxyerror linecolor rgb "#b8b8b8" title "present: always exits"
