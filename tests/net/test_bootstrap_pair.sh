#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Two hosts that name each other as bootstrap, without HIT, and start at the same time: one ring, not two.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

lab_network left 192.0.2 2001:db8:1
lab_network right 198.51.100 2001:db8:2
lab_host one left
lab_host other right
lab_configure one other
lab_configure other one
lab_hiphopd one
lab_hiphopd other
lab_hiphopd_ready one
lab_hiphopd_ready other

lab_check 'one is a member' lab_wait 30 lab_joined one
lab_check 'other is a member' lab_wait 30 lab_joined other
lab_check 'one has other as neighbour' lab_wait 30 lab_status one '.overlay.neighbours == 1'
lab_check 'other has one as neighbour' lab_wait 30 lab_status other '.overlay.neighbours == 1'
lab_check 'what one stores, other finds' lab_hiphop one put colour green
# The two rings have only just met: for a moment the value may be on its way to who is responsible for it now.
reads() { lab_hiphop "$1" get colour | grep -q green; }
lab_check 'and reads' lab_wait 10 reads other

lab_host third right
lab_configure third one other
lab_hiphopd third
lab_hiphopd_ready third
lab_check 'a third joins the ring' lab_wait 30 lab_status third '.overlay.joined and .overlay.neighbours == 2'
lab_check 'and finds the value too' lab_wait 10 reads third
lab_finish
