# shellcheck shell=sh
# Puts layers in memory over the machine's writable folders, so that nothing that is written stays. To be read (.) in a
# mount namespace whose mounts are private.
layers=/mnt # exists everywhere
mount -t tmpfs -o mode=755 layers "$layers"
for dir in boot etc home opt root srv tmp usr var; do
	mkdir "$layers/$dir" "$layers/$dir.work"
	chmod --reference="/$dir" "$layers/$dir"
	mount -t overlay -o "lowerdir=/$dir,upperdir=$layers/$dir,workdir=$layers/$dir.work" overlay "/$dir"
done
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs -o mode=1777 shm /dev/shm
