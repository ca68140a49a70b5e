# Drawn by notrap plot; run with: gnuplot THIS > IMAGE
set terminal svg dynamic size 960,640 noenhanced font "sans-serif,14" background rgb "white"
set encoding utf8
set style textbox opaque fillcolor rgb "white" noborder margins 0.3,0.3
set border 3 linecolor rgb "#555555"
set tics nomirror out
set style fill solid 1.0 border rgb "white"
set grid ytics linetype 1 linecolor rgb "#e6e6e6"
set format y "%g"
set ylabel "#PF exits for each guest page fault"
set xrange [-0.6:4.2]
set yrange [0:3.48]
set xtics scale 0 ("kvm-2.6.20" 0.0, "kvm-2.6.24" 1.0, "kvm-2.6.25" 2.0, "kvm-2.6.25" 3.6)
set title "How many #PF exits does a guest page fault cost\077" font "sans-serif,20" offset 0,0.6
set tmargin 4.0
set key outside right top vertical Left reverse invert samplen 1 spacing 1.3 title "#PF exits by cause" left
set label "guests/mini.elf  memory=64M  mhz=100\nbars: mmu  (bypass on where there is one; bold: all #PF exits / page faults that the guest saw)\nnotrap VERSION" at screen 0.02, screen 0.092 left textcolor rgb "#555555"
set bmargin 7.6
set label "touch pages=8" at first 1.00, graph 0 center offset 0,-2.4 font "sans-serif,15"
set label "fork procs=2, \042x\042" at first 3.60, graph 0 center offset 0,-2.4 font "sans-serif,15"
set label "1.00" at first 0.0, first 0.5 center front
set label "1.00" at first 0.0, first 1.5 center front textcolor rgb "white"
set label "1.00" at first 0.0, first 2.5 center front
set label "3.00" at first 0.0, first 3 center front offset 0,0.6 boxed font "sans-serif,15"
set label "1.00" at first 1.0, first 0.5 center front textcolor rgb "white"
set label "1.00" at first 1.0, first 1.5 center front
set label "2.00" at first 1.0, first 2 center front offset 0,0.6 boxed font "sans-serif,15"
set label "0.11" at first 2.0, first 0.0555556 center front textcolor rgb "white"
set label "1.00" at first 2.0, first 0.611111 center front
set label "1.11" at first 2.0, first 1.11111 center front offset 0,0.6 boxed font "sans-serif,15"
set label "1.00" at first 3.6, first 0.547619 center front
set label "1.05" at first 3.6, first 1.04762 center front offset 0,0.6 boxed font "sans-serif,15"

# bar, from, to, height of "hidden_fill"
$part0 << EOD
0.0 0 1 1
1.0 0 0 0
2.0 0 0 0
3.6 0 0 0
EOD

# bar, from, to, height of "injected"
$part1 << EOD
0.0 1 2 1
1.0 0 1 1
2.0 0 0.111111111 0.111111111
3.6 0 0.0476190476 0.0476190476
EOD

# bar, from, to, height of "pt_write"
$part2 << EOD
0.0 2 3 1
1.0 1 2 1
2.0 0.111111111 1.11111111 1
3.6 0.0476190476 1.04761905 1
EOD

plot $part0 using 1:2:($1-0.36):($1+0.36):2:3 with boxxyerror linecolor rgb "#56b4e9" title "#PF hidden_fill", \
     $part1 using 1:2:($1-0.36):($1+0.36):2:3 with boxxyerror linecolor rgb "#d55e00" title "#PF injected", \
     $part2 using 1:2:($1-0.36):($1+0.36):2:3 with boxxyerror linecolor rgb "#e69f00" title "#PF pt_write"
