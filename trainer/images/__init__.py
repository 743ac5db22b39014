"""The images that a super-network learns from: found, checked, augmented on the device."""
